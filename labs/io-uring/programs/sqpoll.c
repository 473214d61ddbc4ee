// As `batched`, but a thread of the kernel watches the ring and takes
// the requests from it (`IORING_SETUP_SQPOLL`). This program does not
// even call it.
#include <fcntl.h>
#include <stdlib.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 4);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t pieces = number(argv[2]), block = number(argv[3]);
    size_t batch = number(argv[4]);

    char *data = calloc(pieces, block);
    struct ring ring = ring_with_kernel_thread(batch, 1000);
    for (size_t i = 0; i < pieces;) {
        size_t left = 0;
        for (; left < batch && i < pieces; left++, i++)
            ring_read(&ring, file, data + i * block, block, i * 4 * block);
        // A system call only if the thread has gone to sleep.
        ring_submit_and_wait(&ring, 0);
        // No system call, and no rest for this CPU:
        while (left > 0) {
            long result;
            if (!ring_completion(&ring, &result, NULL))
                continue;
            if (result != (long)block)
                return 1;
            left--;
        }
    }

    struct checksum checksum = {0};
    checksum_add(&checksum, data, pieces * block);
    checksum_print(&checksum, "");
    return 0;
}
