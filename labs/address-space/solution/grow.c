// Reads a file into a table that grows when it is full, and adds up the
// table. When it grows, its pages get other addresses and stay what they
// are: only the page tables change.
#define _GNU_SOURCE // for mremap
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
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
            table = mapped(mremap(table, size, 2 * size, MREMAP_MAYMOVE));
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
