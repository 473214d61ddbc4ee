// Counts the lines of a file, one byte per system call.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t lines = 0;

    char byte; // room for one byte
    while (check(read(file, &byte, 1), "read") == 1) {
        if (byte == '\n')
            lines++;
    }
    printf("%zu lines\n", lines);
    return 0;
}
