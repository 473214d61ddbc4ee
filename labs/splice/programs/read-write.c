// A file goes through a pipe to another file. All of it by read() and
// write().
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

// as much as the pipe takes before it blocks
#define BUFFER (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int from = check(open(argv[1], O_RDONLY), argv[1]);
    int to = check(open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666), argv[2]);
    int ends[2];
    check(pipe(ends), "pipe");
    int out_of_pipe = ends[0], into_pipe = ends[1];

    char *buffer = malloc(BUFFER);
    ssize_t n;
    while ((n = check(read(from, buffer, BUFFER), "read")) > 0) {
        write_all(into_pipe, buffer, n);
        read_exactly(out_of_pipe, buffer, n);
        write_all(to, buffer, n);
    }
    return 0;
}
