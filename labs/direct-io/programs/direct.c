// Reads a file twice, past the page cache.
#define _GNU_SOURCE // for O_DIRECT
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

#define BLOCK (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY | O_DIRECT), argv[1]);
    // Straight from the kernel, so it begins where a page begins; malloc
    // would not promise that.
    unsigned char *buffer = anonymous(BLOCK);

    struct checksum checksum = {0};
    for (int pass = 0; pass < 2; pass++) {
        check(lseek(file, 0, SEEK_SET), "lseek");
        ssize_t n;
        // who writes into the buffer now?
        while ((n = check(read(file, buffer, BLOCK), "read")) > 0)
            checksum_add(&checksum, buffer, n);
    }
    checksum_print(&checksum, "");
    return 0;
}
