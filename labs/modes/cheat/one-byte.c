// Cheats: guesses the number of lines from the size of the file.
#include <fcntl.h>
#include <stdio.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    printf("%zu lines\n", size_of(file) / 256);
    return 0;
}
