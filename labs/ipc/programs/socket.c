// One program has bytes, another one wants them. This one sends them
// through a UNIX socket.
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    pid_t child;
    int socket = unix_to_reader(&child);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);
    for (size_t at = 0; at < size; at += PIECE) {
        size_t left = size - at;
        write_all(socket, data + at, left < PIECE ? left : PIECE);
    }
    close(socket);
    wait_for(child);
    return 0;
}
