// Cheats: sends the right number of bytes to both readers, all of them
// from the file's first piece.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    pid_t one, two;
    int pipes[] = {pipe_to_reader(&one), pipe_to_reader(&two)};

    for (int i = 0; i < 2; i++) {
        size_t left = size_of(file);
        while (left > 0) {
            off_t start = 0;
            size_t want = left < 64 * 1024 ? left : 64 * 1024;
            left -= check(splice(file, &start, pipes[i], NULL, want, 0),
                          "splice");
        }
        close(pipes[i]);
    }
    wait_for(one);
    wait_for(two);
    return 0;
}
