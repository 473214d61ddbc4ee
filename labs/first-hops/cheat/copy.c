// Cheats: makes a file of the right length, and moves nothing into it.
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int from = check(open(argv[1], O_RDONLY), argv[1]);
    int to = check(open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666), argv[2]);
    check(ftruncate(to, size_of(from)), "ftruncate");
    return 0;
}
