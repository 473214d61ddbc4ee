// Reads all of a device past the page cache: what stands in for its DMA
// copies straight into our buffer.
#define _GNU_SOURCE // for O_DIRECT
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

#define BUFFER (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int source = check(open(argv[1], O_RDONLY | O_DIRECT), argv[1]);
    struct checksum checksum = {0};
    // whole pages: O_DIRECT wants them aligned
    unsigned char *buffer = anonymous(BUFFER);
    ssize_t n;
    while ((n = check(read(source, buffer, BUFFER), "read")) > 0)
        checksum_add(&checksum, buffer, n);
    checksum_print(&checksum, "checksum ");
    return 0;
}
