// Reads the first piece only.
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

static unsigned char buffer[64 * 1024];

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int source = check(open(argv[1], O_RDONLY), argv[1]);
    struct checksum checksum = {0};
    ssize_t n = check(read(source, buffer, sizeof buffer), "read");
    checksum_add(&checksum, buffer, n);
    checksum_print(&checksum, "checksum ");
    return 0;
}
