// Sends short messages, one call each.
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    size_t size, message = number(argv[2]);
    unsigned char *data = whole_file(argv[1], &size);
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);

    for (size_t at = 0; at < size; at += message) {
        size_t left = size - at;
        write_all(socket, data + at, left < message ? left : message);
    }
    close(socket);
    wait_for(receiver);
    return 0;
}
