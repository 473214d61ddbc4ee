// Copies a file with sendfile(): the bytes don't come up to this
// program.
#include <fcntl.h>
#include <sys/sendfile.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int from = check(open(argv[1], O_RDONLY), argv[1]);
    int to = check(open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666), argv[2]);

    while (check(sendfile(to, from, NULL, 64 * 1024), "sendfile") > 0)
        ;
    return 0;
}
