// Fills some memory, makes a child, and lets the child write one byte to
// each page.
//
// fork() gives the child a copy of all this memory. When is it made?
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t size = number(argv[1]);
    unsigned char *memory = anonymous(size);
    check(madvise(memory, size, MADV_NOHUGEPAGE), "madvise");
    memset(memory, 1, size);

    pid_t child = check(fork(), "fork");
    if (child == 0) {
        for (size_t at = 0; at < size; at += 4096)
            memory[at] = 2;
        _exit(0);
    }
    wait_for(child);
    return 0;
}
