// As `batched`, with a buffer that was registered: the kernel looked up
// its pages once and pinned them, so it does not have to for each
// request.
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
    // The system call: io_uring_register.
    ring_register(&ring, data, pieces * block);
    for (size_t i = 0; i < pieces;) {
        size_t asked = 0;
        for (; asked < batch && i < pieces; asked++, i++)
            ring_read_registered(&ring, file, data + i * block, block,
                                 i * 4 * block);
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
