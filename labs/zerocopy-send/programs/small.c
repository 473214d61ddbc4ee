// Sends short messages with MSG_ZEROCOPY, and waits each time until the
// message may be changed.
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    size_t size, message = number(argv[2]);
    unsigned char *data = whole_file(argv[1], &size);
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);
    zerocopy_enable(socket);

    size_t sent = 0;
    while (sent < size) {
        // up to where this message ends
        size_t left = message - sent % message;
        if (left > size - sent)
            left = size - sent;
        sent += check(send(socket, data + sent, left, MSG_ZEROCOPY), "send");
        zerocopy_notification(socket, NULL);
    }
    close(socket);
    wait_for(receiver);
    return 0;
}
