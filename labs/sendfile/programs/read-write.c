// Sends a file over TCP: reads a piece into a buffer, writes the buffer
// to the socket.
//
// The receiver is a child of this program, at the other end of the
// loopback device.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#define BUFFER (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);

    char *buffer = malloc(BUFFER);
    ssize_t n;
    while ((n = check(read(file, buffer, BUFFER), "read")) > 0)
        write_all(socket, buffer, n);
    // the receiver sees the end, and prints a checksum of what it got
    close(socket);
    wait_for(receiver);
    return 0;
}
