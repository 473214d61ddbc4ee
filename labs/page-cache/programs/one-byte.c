// Reads one byte from the start of a file.
#include <fcntl.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    char byte;
    read_exactly(file, &byte, 1);
    return 0;
}
