// A web server for files. What it shares with the other three (accepting
// a client, reading its request, sending the head of the answer) is in
// support/c/peers.c; here is how it sends the file.
//
// This one has sendfile pass the file's pages on.
#include <sys/sendfile.h>

#include "support.h"

static void answer(int client, int file) {
    // sendfile() moves the file's offset on; zero means that its end is
    // reached.
    while (check(sendfile(client, file, NULL, 1 << 20), "sendfile") > 0)
        ;
}

int main(int argc, char *argv[]) {
    arguments(argc, 3); // two files, and how often each is asked for
    serve(&argv[1], 2, number(argv[3]), answer);
    return 0;
}
