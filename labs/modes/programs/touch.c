// Writes one byte to each page of a piece of memory.
//
// Not one line of the loop is a call.
#include <sys/mman.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t size = number(argv[1]) * 4096;
    // one system call: room, but no memory yet
    char *memory = mapped(mmap(NULL, size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    for (size_t at = 0; at < size; at += 4096)
        memory[at] = 1;
    return 0;
}
