// Sends a file over TCP: reads a piece, writes it to the socket. The
// socket has a key, and the kernel encrypts what is written to it (kTLS).
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    pid_t receiver;
    int socket = ktls_to_reader(&receiver);

    unsigned char *buffer = malloc(PIECE);
    ssize_t n;
    while ((n = check(read(file, buffer, PIECE), "read")) > 0)
        write_all(socket, buffer, n);

    close(socket);
    wait_for(receiver);
    return 0;
}
