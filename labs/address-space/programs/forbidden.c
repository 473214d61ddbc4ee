// Tries to get at the kernel's memory, in two ways: a child reads from
// an address of the kernel's, and the program asks the kernel to write
// from there into a pipe.
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

// in the upper half of the addresses, which is the kernel's
static const char *const kernel = (const char *)0xffff888000000000;

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t times = number(argv[1]), refused = 0;
    int ends[2];
    check(pipe(ends), "pipe");
    for (size_t i = 0; i < times; i++) {
        if (write(ends[1], kernel, 4096) < 0 && errno == EFAULT)
            refused++;
    }
    printf("%zu of %zu writes were refused\n", refused, times);
    fflush(stdout); // or the child would have it, too

    pid_t child = check(fork(), "fork");
    if (child == 0) {
        volatile char byte = *(const volatile char *)kernel;
        _exit(byte == 0); // not reached
    }
    int status;
    check(waitpid(child, &status, 0), "waitpid");
    printf("%s\n", WIFSIGNALED(status) ? "true" : "false");
    return 0;
}
