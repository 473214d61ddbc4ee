// Reads a file past the page cache, in pieces, and asks for all of them
// before it waits for one.
#define _GNU_SOURCE // for O_DIRECT
#include <fcntl.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int file = check(open(argv[1], O_RDONLY | O_DIRECT), argv[1]);
    size_t block = number(argv[2]), size = size_of(file);
    unsigned char *data = anonymous(size);

    struct ring ring = ring_new(size / block);
    // `data` is looked at when all requests are completed.
    for (size_t at = 0; at < size; at += block)
        ring_read(&ring, file, data + at, block, at);
    ring_submit_and_wait(&ring, size / block);
    long result;
    while (ring_completion(&ring, &result, NULL)) {
        if (result != (long)block)
            return 1;
    }

    struct checksum checksum = {0};
    checksum_add(&checksum, data, size);
    checksum_print(&checksum, "");
    return 0;
}
