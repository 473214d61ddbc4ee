// A file goes through a pipe to another file. All of it by splice(),
// which needs no buffer.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int from = check(open(argv[1], O_RDONLY), argv[1]);
    int to = check(open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666), argv[2]);
    int ends[2];
    check(pipe(ends), "pipe");
    int out_of_pipe = ends[0], into_pipe = ends[1];
    // "Move the pages, if you can." Whether the kernel can, the trace
    // will say.
    const int flags = SPLICE_F_MOVE;

    ssize_t left;
    while ((left = check(splice(from, NULL, into_pipe, NULL, 64 * 1024, flags),
                         "splice")) > 0) {
        while (left > 0)
            left -= check(splice(out_of_pipe, NULL, to, NULL, left, flags),
                          "splice");
    }
    return 0;
}
