// No better: encrypts in a private mapping. The first write to each page
// brings the copy back.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    pid_t receiver;
    int socket = tcp_to_decrypter(&receiver);

    struct cipher cipher = {0};
    size_t size = size_of(file);
    unsigned char *bytes = mapped(
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0));
    for (size_t at = 0; at < size; at += PIECE) {
        size_t n = size - at < PIECE ? size - at : PIECE;
        encrypt(&cipher, bytes + at, bytes + at, n);
        write_all(socket, bytes + at, n);
    }
    close(socket);
    wait_for(receiver);
    return 0;
}
