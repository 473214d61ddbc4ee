// Sends the same through io_uring, by reference: a request has two
// completions, one for the bytes and one for the pages.
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);
    struct ring ring = ring_for_sends(8);

    size_t sent = 0;
    while (sent < size) {
        size_t left = size - sent;
        ring_send_by_reference(&ring, socket, data + sent,
                               left < PIECE ? left : PIECE);
        // `data` is not changed or freed before both completions are here.
        ring_submit_and_wait(&ring, 2);
        long result;
        bool pages_free;
        while (ring_completion(&ring, &result, &pages_free)) {
            if (!pages_free)
                sent += result;
        }
    }
    close(socket);
    wait_for(receiver);
    return 0;
}
