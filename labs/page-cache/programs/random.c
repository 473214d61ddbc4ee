// Reads a file from start to end, but tells the kernel not to expect
// that.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    // "I will jump around": no readahead. (It returns the error itself.)
    errno = posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    check(-errno, "posix_fadvise");

    char buffer[4096];
    while (check(read(file, buffer, sizeof buffer), "read") > 0)
        ;
    return 0;
}
