// Sends a file over TCP as it is, with sendfile(): what the others are
// compared with.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);

    // sendfile() moves the file's offset on; zero means that its end is
    // reached.
    while (check(sendfile(socket, file, NULL, 64 * 1024), "sendfile") > 0)
        ;

    close(socket);
    wait_for(receiver);
    return 0;
}
