// Finds the largest byte of a file, and then how often it is there.
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
    while ((n = check(read(file, buffer, BUFFER), "read")) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (buffer[i] > largest)
                largest = buffer[i];
        }
    }

    // "It's in memory now, so reading it again costs nothing."
    check(lseek(file, 0, SEEK_SET), "lseek");
    size_t times = 0;
    while ((n = check(read(file, buffer, BUFFER), "read")) > 0) {
        for (ssize_t i = 0; i < n; i++)
            times += buffer[i] == largest;
    }
    printf("%d is there %zu times\n", largest, times);
    return 0;
}
