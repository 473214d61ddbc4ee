// A file goes to two readers, each of which gets all of it through a
// pipe of its own.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#define BUFFER (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    // Two children: each reads its pipe to the end, and prints a checksum
    // of what it got.
    pid_t one, two;
    int first = pipe_to_reader(&one);
    int second = pipe_to_reader(&two);

    char *buffer = malloc(BUFFER);
    ssize_t n;
    while ((n = check(read(file, buffer, BUFFER), "read")) > 0) {
        write_all(first, buffer, n);
        write_all(second, buffer, n);
    }
    close(first); // the end, for the readers
    close(second);
    wait_for(one);
    wait_for(two);
    return 0;
}
