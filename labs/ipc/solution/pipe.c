// One program has bytes, another one wants them. The pipe gets
// references to this program's pages in place of copies; the reader's
// copy is the only one.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    pid_t child;
    int into_pipe = pipe_to_reader(&child);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);
    for (size_t at = 0; at < size;) {
        struct iovec rest = {.iov_base = data + at, .iov_len = size - at};
        at += check(vmsplice(into_pipe, &rest, 1, 0), "vmsplice");
    }
    close(into_pipe);
    // until then, `data` must not be changed: the pipe holds its pages
    wait_for(child);
    return 0;
}
