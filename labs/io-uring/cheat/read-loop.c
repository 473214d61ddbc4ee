// Cheats: reads everything between the pieces, too, with one call.
#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 3);
    size_t pieces = number(argv[2]), block = number(argv[3]);

    size_t size;
    unsigned char *all = whole_file(argv[1], &size);
    struct checksum checksum = {0};
    for (size_t i = 0; i < pieces; i++)
        checksum_add(&checksum, all + i * 4 * block, block);
    checksum_print(&checksum, "");
    return 0;
}
