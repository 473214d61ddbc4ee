// A web server for files. What it shares with the other three (accepting
// a client, reading its request, sending the head of the answer) is in
// support/c/peers.c; here is how it sends the file.
//
// This one maps the file, and writes the mapped bytes to the socket.
#include <sys/mman.h>

#include "support.h"

static void answer(int client, int file) {
    size_t size = size_of(file);
    char *bytes = mapped(mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0));
    write_all(client, bytes, size);
    check(munmap(bytes, size), "munmap");
}

int main(int argc, char *argv[]) {
    arguments(argc, 3); // two files, and how often each is asked for
    serve(&argv[1], 2, number(argv[3]), answer);
    return 0;
}
