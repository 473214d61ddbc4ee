// The same copies, with fewer calls.
#include <stdlib.h>

#include "support.h"

static void answer(int client, int file) {
    size_t size = size_of(file);
    char *buffer = malloc(size);
    read_exactly(file, buffer, size);
    write_all(client, buffer, size);
    free(buffer);
}

int main(int argc, char *argv[]) {
    arguments(argc, 3); // two files, and how often each is asked for
    serve(&argv[1], 2, number(argv[3]), answer);
    return 0;
}
