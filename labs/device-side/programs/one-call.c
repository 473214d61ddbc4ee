// Reads a file past the page cache with a single call.
#define _GNU_SOURCE // for O_DIRECT
#include <fcntl.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY | O_DIRECT), argv[1]);
    size_t size = size_of(file);
    unsigned char *data = anonymous(size);

    read_exactly_at(file, data, size, 0);

    struct checksum checksum = {0};
    checksum_add(&checksum, data, size);
    checksum_print(&checksum, "");
    return 0;
}
