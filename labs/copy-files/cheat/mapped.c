// Cheats: maps the file, so that only one of the two copies is left; the
// bytes still come up to the program and go down again.
#include <fcntl.h>
#include <sys/mman.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int from = check(open(argv[1], O_RDONLY), argv[1]);
    int to = check(open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666), argv[2]);
    size_t size = size_of(from);
    write_all(to, mapped(mmap(NULL, size, PROT_READ, MAP_SHARED, from, 0)),
              size);
    return 0;
}
