// Adds up the bytes of a file, which it maps into its memory.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t size = size_of(file);
    // The pages of the page cache become pages of ours. But not yet: now,
    // only the promise is made.
    unsigned char *bytes =
        mapped(mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0));

    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    printf("%" PRIu64 "\n", sum);
    return 0;
}
