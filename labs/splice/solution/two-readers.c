// A file goes to two readers, each of which gets all of it through a
// pipe of its own. Only references to its pages go: tee() doubles them,
// splice() moves them on.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    // Two children: each reads its pipe to the end, and prints a checksum
    // of what it got.
    pid_t one, two;
    int first = pipe_to_reader(&one);
    int second = pipe_to_reader(&two);
    int ends[2];
    check(pipe2(ends, O_CLOEXEC), "pipe");
    int out_of_pipe = ends[0], into_pipe = ends[1];

    ssize_t left;
    while ((left = check(splice(file, NULL, into_pipe, NULL, 64 * 1024, 0),
                         "splice")) > 0) {
        while (left > 0) {
            // tee() leaves the references where they are, and may pass on
            // only a part of them:
            ssize_t n = check(tee(out_of_pipe, first, left, 0), "tee");
            left -= n;
            // so exactly that part has to go to the other reader before
            // the next.
            while (n > 0)
                n -= check(splice(out_of_pipe, NULL, second, NULL, n, 0),
                           "splice");
        }
    }
    close(first); // the end, for the readers
    close(second);
    wait_for(one);
    wait_for(two);
    return 0;
}
