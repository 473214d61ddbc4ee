// Sends a file over TCP, encrypted by this program, as with a TLS library:
// reads a piece, encrypts it, writes it to the socket.
//
// The cipher only stands for a library's. It is not secure.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    pid_t receiver;
    int socket = tcp_to_decrypter(&receiver);

    struct cipher cipher = {0};
    unsigned char *buffer = malloc(PIECE);
    ssize_t n;
    while ((n = check(read(file, buffer, PIECE), "read")) > 0) {
        encrypt(&cipher, buffer, buffer, n);
        write_all(socket, buffer, n);
    }
    // the receiver sees the end; it decrypts, and prints checksums
    close(socket);
    wait_for(receiver);
    return 0;
}
