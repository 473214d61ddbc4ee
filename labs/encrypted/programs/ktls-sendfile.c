// Sends a file over TCP with sendfile(), to a socket that the kernel
// encrypts (kTLS). No byte of the file comes to this program.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    pid_t receiver;
    int socket = ktls_to_reader(&receiver);

    while (check(sendfile(socket, file, NULL, 64 * 1024), "sendfile") > 0)
        ;

    close(socket);
    wait_for(receiver);
    return 0;
}
