// Cheats: maps the file, so that nothing is copied and page faults bring
// the pieces.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 3);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t pieces = number(argv[2]), block = number(argv[3]);

    char *all = mapped(mmap(NULL, size_of(file), PROT_READ,
                            MAP_SHARED | MAP_POPULATE, file, 0));
    struct checksum checksum = {0};
    for (size_t i = 0; i < pieces; i++)
        checksum_add(&checksum, all + i * 4 * block, block);
    checksum_print(&checksum, "");
    return 0;
}
