// A web server for files. What it shares with the other three (accepting
// a client, reading its request, sending the head of the answer) is in
// support/c/peers.c; here is how it sends the file.
//
// This one reads the file into a buffer, and writes the buffer to the
// socket.
#include <unistd.h>

#include "support.h"

static void answer(int client, int file) {
    static char buffer[16 * 1024];
    ssize_t n;
    while ((n = check(read(file, buffer, sizeof buffer), "read")) > 0)
        write_all(client, buffer, n);
}

int main(int argc, char *argv[]) {
    arguments(argc, 3); // two files, and how often each is asked for
    serve(&argv[1], 2, number(argv[3]), answer);
    return 0;
}
