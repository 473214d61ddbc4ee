// Sends data over TCP, the ordinary way: 64 KiB per call.
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);

    for (size_t at = 0; at < size; at += PIECE) {
        size_t left = size - at;
        // When it returns, the piece may be changed: why?
        write_all(socket, data + at, left < PIECE ? left : PIECE);
    }
    close(socket);
    wait_for(receiver);
    return 0;
}
