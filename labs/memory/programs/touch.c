// Asks for memory, and writes one byte to each page of it.
#include <sys/mman.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t size = number(argv[1]);
    unsigned char *memory = anonymous(size);
    // small pages, whatever this machine prefers
    check(madvise(memory, size, MADV_NOHUGEPAGE), "madvise");

    for (size_t at = 0; at < size; at += 4096)
        memory[at] = 1;
    return 0;
}
