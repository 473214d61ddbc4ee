// Adds up the bytes of a file.
#include <inttypes.h>
#include <stdio.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    // all of it, into memory that is new
    size_t size;
    unsigned char *bytes = whole_file(argv[1], &size);
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    printf("%" PRIu64 "\n", sum);
    return 0;
}
