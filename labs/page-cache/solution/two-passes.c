// Finds the largest byte of a file, and how often it is there, in one
// pass.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#define BUFFER (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    unsigned char *buffer = malloc(BUFFER);
    ssize_t n;

    unsigned char largest = 0;
    size_t times = 0;
    while ((n = check(read(file, buffer, BUFFER), "read")) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (buffer[i] > largest) {
                // what was counted so far was not the largest
                largest = buffer[i];
                times = 0;
            }
            times += buffer[i] == largest;
        }
    }
    printf("%d is there %zu times\n", largest, times);
    return 0;
}
