// Sends the same with MSG_ZEROCOPY: the kernel takes references to the
// pages, and says later when it needs them no more.
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);
    zerocopy_enable(socket);

    size_t sent = 0, pending = 0;
    while (sent < size) {
        size_t left = size - sent;
        sent += check(send(socket, data + sent, left < PIECE ? left : PIECE,
                           MSG_ZEROCOPY),
                      "send");
        pending++;
    }

    // Until then, nobody may write to `data`.
    size_t copied = 0;
    while (pending > 0) {
        bool was_copied;
        size_t done = zerocopy_notification(socket, &was_copied);
        pending -= done;
        copied += was_copied ? done : 0;
    }
    fprintf(stderr, "the kernel copied after all for %zu of the sends\n",
            copied);
    close(socket);
    wait_for(receiver);
    return 0;
}
