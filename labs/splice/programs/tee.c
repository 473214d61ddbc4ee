// A file goes through a pipe to another file, and on the way a child
// gets all of it, too.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int from = check(open(argv[1], O_RDONLY), argv[1]);
    int to = check(open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666), argv[2]);
    int ends[2];
    check(pipe2(ends, O_CLOEXEC), "pipe");
    int out_of_pipe = ends[0], into_pipe = ends[1];
    // a child that prints a checksum of what it reads
    pid_t child;
    int branch = pipe_to_reader(&child);

    ssize_t left;
    while ((left = check(splice(from, NULL, into_pipe, NULL, 64 * 1024, 0),
                         "splice")) > 0) {
        while (left > 0) {
            // The same pages are in both pipes now: tee() takes nothing
            // out of the first.
            ssize_t rest = check(tee(out_of_pipe, branch, left, 0), "tee");
            left -= rest;
            while (rest > 0)
                rest -= check(splice(out_of_pipe, NULL, to, NULL, rest, 0),
                              "splice");
        }
    }
    close(branch); // the end, for the reader
    wait_for(child);
    return 0;
}
