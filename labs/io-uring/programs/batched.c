// Reads the same pieces through io_uring: requests are put into a ring
// that the program shares with the kernel, and one system call hands
// over a whole batch.
#include <fcntl.h>
#include <stdlib.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 4);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t pieces = number(argv[2]), block = number(argv[3]);
    size_t batch = number(argv[4]);

    char *data = calloc(pieces, block);
    struct ring ring = ring_new(batch);
    for (size_t i = 0; i < pieces;) {
        size_t asked = 0;
        for (; asked < batch && i < pieces; asked++, i++)
            // Writes to memory, no more. `data` is looked at when all
            // requests are completed.
            ring_read(&ring, file, data + i * block, block, i * 4 * block);
        // the system call: io_uring_enter
        ring_submit_and_wait(&ring, asked);
        long result;
        while (ring_completion(&ring, &result, NULL)) {
            if (result != (long)block)
                return 1;
        }
    }

    struct checksum checksum = {0};
    checksum_add(&checksum, data, pieces * block);
    checksum_print(&checksum, "");
    return 0;
}
