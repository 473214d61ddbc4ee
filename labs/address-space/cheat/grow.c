// Cheats: keeps no table at all, and adds up what one small buffer holds.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "support.h"

static unsigned char buffer[64 * 1024];

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    uint64_t sum = 0;
    ssize_t n;
    while ((n = check(read(file, buffer, sizeof buffer), "read")) > 0) {
        for (ssize_t i = 0; i < n; i++)
            sum += buffer[i];
    }
    printf("%" PRIu64 "\n", sum);
    return 0;
}
