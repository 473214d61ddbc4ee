// Copies a file; how, is the kernel's affair: by sharing blocks where
// the file system can do that, else by one copy within the page cache.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int from = check(open(argv[1], O_RDONLY), argv[1]);
    int to = check(open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666), argv[2]);

    size_t left = size_of(from);
    while (left > 0)
        left -= check(copy_file_range(from, NULL, to, NULL, left, 0),
                      "copy_file_range");
    return 0;
}
