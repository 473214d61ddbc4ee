// Cheats: reads the file through the page cache, where the kernel reads
// ahead.
#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);

    struct checksum checksum = {0};
    checksum_add(&checksum, data, size);
    checksum_print(&checksum, "");
    return 0;
}
