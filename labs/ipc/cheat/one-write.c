// The same copies, in one call.
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    pid_t child;
    int into_pipe = pipe_to_reader(&child);
    size_t size;
    unsigned char *data = whole_file(argv[1], &size);
    write_all(into_pipe, data, size);
    close(into_pipe);
    wait_for(child);
    return 0;
}
