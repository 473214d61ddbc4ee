// One program has bytes, another one wants them. This one sends them
// through a pipe.
//
// The reader is a child; it prints a checksum of what it got.
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    pid_t child;
    int into_pipe = pipe_to_reader(&child);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);
    for (size_t at = 0; at < size; at += PIECE) {
        size_t left = size - at;
        write_all(into_pipe, data + at, left < PIECE ? left : PIECE);
    }
    close(into_pipe);
    wait_for(child);
    return 0;
}
