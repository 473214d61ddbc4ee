// Copies a file: reads a piece, writes the piece.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#define BUFFER (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int from = check(open(argv[1], O_RDONLY), argv[1]);
    int to = check(open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666), argv[2]);

    char *buffer = malloc(BUFFER);
    ssize_t n;
    while ((n = check(read(from, buffer, BUFFER), "read")) > 0)
        write_all(to, buffer, n);
    return 0;
}
