// Adds up the bytes of a file, without the first byte of each page: it
// sets that one to zero.
//
// The file itself stays as it is: MAP_PRIVATE promises that nobody else
// sees the change.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t size = size_of(file);
    unsigned char *bytes = mapped(
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0));

    for (size_t at = 0; at < size; at += 4096)
        bytes[at] = 0; // in which page? The file's must not change.
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    printf("%" PRIu64 "\n", sum);
    return 0;
}
