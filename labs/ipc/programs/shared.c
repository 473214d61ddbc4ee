// One program has bytes, another one wants them. Here both see the same
// memory.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t size = size_of(file);
    // MAP_SHARED: after a fork, there is still only one
    char *data = mapped(mmap(NULL, size, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    read_exactly(file, data, size); // straight to where the other will look

    // The child begins when all is there. Two programs that run at the
    // same time would have to tell each other when: shared memory has no
    // "wait until there is something", as a pipe has.
    pid_t child = check(fork(), "fork");
    if (child == 0) {
        struct checksum checksum = {0};
        checksum_add(&checksum, data, size);
        printf("received %zu bytes, ", size);
        checksum_print(&checksum, "checksum ");
        exit(0);
    }
    wait_for(child);
    return 0;
}
