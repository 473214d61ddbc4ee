// Maps the same memory at two addresses. Writes one byte to each page at
// the first address, and adds up the bytes at the second.
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t size = number(argv[1]);
    // a file without a name, whose only place is memory
    int file = check(memfd_create("views", 0), "memfd_create");
    check(ftruncate(file, size), "ftruncate");
    const int rights = PROT_READ | PROT_WRITE;
    unsigned char *here, *there;
    here = mapped(mmap(NULL, size, rights, MAP_SHARED, file, 0));
    there = mapped(mmap(NULL, size, rights, MAP_SHARED, file, 0));

    for (size_t at = 0; at < size; at += 4096)
        here[at] = at / 4096;
    // Nobody has carried anything from here to there.
    uint64_t sum = 0;
    for (size_t at = 0; at < size; at += 4096)
        sum += there[at];
    printf("%" PRIu64 "\n", sum);
    return 0;
}
