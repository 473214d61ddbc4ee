// Reads a file into a table that grows when it is full, and adds up the
// table. How long the file is, it does not ask.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support.h"

static unsigned char *room(size_t size) {
    unsigned char *memory = anonymous(size);
    check(madvise(memory, size, MADV_NOHUGEPAGE), "madvise");
    return memory;
}

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t size = 64 * 1024, length = 0;
    unsigned char *table = room(size);

    for (;;) {
        if (length == size) {
            // a place that is twice as large, and everything goes there
            unsigned char *larger = room(2 * size);
            memcpy(larger, table, length);
            check(munmap(table, size), "munmap");
            table = larger;
            size *= 2;
        }
        ssize_t n = check(read(file, table + length, size - length), "read");
        if (n == 0)
            break;
        length += n;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += table[i];
    printf("%" PRIu64 "\n", sum);
    return 0;
}
