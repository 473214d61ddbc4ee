// Reads a file from start to end, a page at a time.
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);

    char buffer[4096];
    while (check(read(file, buffer, sizeof buffer), "read") > 0)
        ;
    return 0;
}
