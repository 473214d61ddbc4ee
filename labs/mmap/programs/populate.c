// Adds up the bytes of a file, which it maps into its memory all at
// once.
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t size = size_of(file);
    // MAP_POPULATE: fill in the page tables now, before anyone asks for a
    // page.
    unsigned char *bytes = mapped(
        mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0));

    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    printf("%" PRIu64 "\n", sum);
    return 0;
}
