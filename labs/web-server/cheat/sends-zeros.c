// Sends as many bytes as the file has, but not those of the file.
#include <stdlib.h>

#include "support.h"

static void answer(int client, int file) {
    size_t size = size_of(file);
    char *zeros = calloc(1, size);
    write_all(client, zeros, size);
    free(zeros);
}

int main(int argc, char *argv[]) {
    arguments(argc, 3); // two files, and how often each is asked for
    serve(&argv[1], 2, number(argv[3]), answer);
    return 0;
}
