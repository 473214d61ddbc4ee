// A web server for files. What it shares with the other three (accepting
// a client, reading its request, sending the head of the answer) is in
// support/c/peers.c; here is how it sends the file.
//
// This one splices: file → pipe → socket, with one pipe for all
// requests.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

static int ends[2]; // of the pipe: out of it, and into it

static void answer(int client, int file) {
    ssize_t left;
    while ((left = check(splice(file, NULL, ends[1], NULL, 64 * 1024, 0),
                         "splice")) > 0) {
        while (left > 0)
            left -= check(splice(ends[0], NULL, client, NULL, left, 0),
                          "splice");
    }
}

int main(int argc, char *argv[]) {
    arguments(argc, 3); // two files, and how often each is asked for
    check(pipe2(ends, O_CLOEXEC), "pipe");
    serve(&argv[1], 2, number(argv[3]), answer);
    return 0;
}
