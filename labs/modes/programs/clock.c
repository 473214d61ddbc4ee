// Asks the kernel for the time, again and again.
//
// `strace` and the manual list clock_gettime() among the system calls.
// Is it one?
#include <time.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t times = number(argv[1]);
    struct timespec now;
    for (size_t i = 0; i < times; i++)
        check(clock_gettime(CLOCK_MONOTONIC, &now), "clock_gettime");
    return 0;
}
