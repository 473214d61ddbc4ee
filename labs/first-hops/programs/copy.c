// Copies a file, as `cat FROM > TO` does.
//
// The data passes through `buffer`, which is this program's own memory.
// Where else it passes through, you can't tell from these lines: that is
// what the trace is for.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

// How much is read and written at a time.
#define BUFFER (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int from = check(open(argv[1], O_RDONLY), argv[1]);
    int to = check(open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666), argv[2]);
    char *buffer = malloc(BUFFER);

    for (;;) {
        // one system call
        ssize_t n = check(read(from, buffer, BUFFER), "read");
        if (n == 0)
            // zero bytes: that is how read() says "end of file"
            return 0;
        // one system call, unless the kernel takes less than n
        write_all(to, buffer, n);
    }
}
