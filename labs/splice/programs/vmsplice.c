// A buffer of this program goes into a pipe by vmsplice(), and a child
// reads the pipe.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t left = number(argv[1]);
    char *buffer = malloc(left);
    memset(buffer, 'x', left);
    int ends[2];
    check(pipe(ends), "pipe");
    int out_of_pipe = ends[0], into_pipe = ends[1];

    pid_t child = check(fork(), "fork");
    if (child == 0) {
        char *piece = malloc(PIECE);
        while (left > 0)
            left -= check(read(out_of_pipe, piece, PIECE), "read");
        _exit(0);
    }

    while (left > 0) {
        // The pipe gets our pages themselves: whoever writes to `buffer`
        // now, writes to the pipe.
        struct iovec rest = {.iov_base = buffer, .iov_len = left};
        ssize_t n = check(vmsplice(into_pipe, &rest, 1, 0), "vmsplice");
        buffer += n;
        left -= n;
    }
    wait_for(child);
    return 0;
}
