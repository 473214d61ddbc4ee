// Sends short messages with MSG_ZEROCOPY: many of them at a time, as
// they lie next to each other, and the notifications are taken at the
// end.
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

#define MANY (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);
    zerocopy_enable(socket);

    size_t sent = 0, pending = 0;
    while (sent < size) {
        size_t left = size - sent;
        sent += check(send(socket, data + sent, left < MANY ? left : MANY,
                           MSG_ZEROCOPY),
                      "send");
        pending++;
    }
    while (pending > 0)
        pending -= zerocopy_notification(socket, NULL);
    close(socket);
    wait_for(receiver);
    return 0;
}
