// Reads a file twice, the ordinary way.
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

#define BLOCK (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    unsigned char *buffer = anonymous(BLOCK);

    struct checksum checksum = {0};
    for (int pass = 0; pass < 2; pass++) {
        check(lseek(file, 0, SEEK_SET), "lseek");
        ssize_t n;
        while ((n = check(read(file, buffer, BLOCK), "read")) > 0)
            checksum_add(&checksum, buffer, n);
    }
    checksum_print(&checksum, "");
    return 0;
}
