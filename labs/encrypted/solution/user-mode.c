// Sends a file over TCP, encrypted by this program. The cipher reads the
// file where it lies, in the page cache, and writes to a buffer.
#include <fcntl.h>
#include <stdlib.h>
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
    unsigned char *buffer = malloc(PIECE);
    size_t size = size_of(file);
    unsigned char *bytes =
        mapped(mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0));
    for (size_t at = 0; at < size; at += PIECE) {
        size_t n = size - at < PIECE ? size - at : PIECE;
        encrypt(&cipher, buffer, bytes + at, n);
        write_all(socket, buffer, n);
    }
    close(socket);
    wait_for(receiver);
    return 0;
}
