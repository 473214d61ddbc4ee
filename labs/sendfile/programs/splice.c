// Sends a file over TCP with splice(), which needs a pipe at one of its
// ends: file → pipe → socket.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);
    int ends[2];
    check(pipe(ends), "pipe");
    int out_of_pipe = ends[0], into_pipe = ends[1];

    ssize_t left;
    while ((left = check(splice(file, NULL, into_pipe, NULL, 64 * 1024, 0),
                         "splice")) > 0) {
        while (left > 0)
            left -= check(splice(out_of_pipe, NULL, socket, NULL, left, 0),
                          "splice");
    }
    close(socket);
    wait_for(receiver);
    return 0;
}
