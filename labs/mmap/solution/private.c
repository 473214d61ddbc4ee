// Adds up the bytes of a file, without the first byte of each page: it
// leaves that one out.
//
// Nothing is written, so nobody needs pages of his own.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t size = size_of(file);
    unsigned char *bytes =
        mapped(mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0));

    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        if (i % 4096 != 0)
            sum += bytes[i];
    }
    printf("%" PRIu64 "\n", sum);
    return 0;
}
