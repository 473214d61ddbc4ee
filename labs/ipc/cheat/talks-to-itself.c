// Prints what the reader would print; nothing goes to another program.
#include <stdio.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);
    struct checksum checksum = {0};
    checksum_add(&checksum, data, size);
    printf("received %zu bytes, ", size);
    checksum_print(&checksum, "checksum ");
    return 0;
}
