// Adds up the bytes of a file, which it reads into a buffer.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#define BUFFER (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    unsigned char *buffer = malloc(BUFFER);
    uint64_t sum = 0;

    // the kernel copies from its page cache to our buffer
    ssize_t n;
    while ((n = check(read(file, buffer, BUFFER), "read")) > 0) {
        for (ssize_t i = 0; i < n; i++)
            sum += buffer[i];
    }
    printf("%" PRIu64 "\n", sum);
    return 0;
}
