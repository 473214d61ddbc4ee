// Cheats: reads a part of the file, and says what the whole would come
// to.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    unsigned char part[4096];
    read_exactly(file, part, sizeof part);

    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof part; i++)
        sum += part[i];
    printf("%" PRIu64 "\n", sum * size_of(file) / sizeof part);
    return 0;
}
