// Prints the right checksum, and sends nothing: few crossings, no
// copies.
#include <fcntl.h>
#include <sys/mman.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 3);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t records = 4096 * number(argv[2]), record = number(argv[3]);
    size_t size = size_of(file);
    char *bytes = mapped(mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0));

    struct checksum sum = {0};
    for (size_t at = 0; at < records; at += 4096)
        checksum_add(&sum, bytes + at, record);
    checksum_add(&sum, bytes + records, size - records);
    checksum_print(&sum, "checksum ");
    return 0;
}
