// Writes one byte to each page of some memory, makes the pages
// read-only, and writes to each of them again.
//
// Each write that is refused ends in a handler of this program, which
// allows the page; then the same instruction runs once more.
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support.h"

static volatile size_t refused;

static void on_refused(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    char *page = (char *)((uintptr_t)info->si_addr & ~(uintptr_t)4095);
    if (mprotect(page, 4096, PROT_READ | PROT_WRITE) != 0)
        _exit(1); // it would be refused for ever
    refused++;
}

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t size = number(argv[1]) * 4096;
    unsigned char *memory = anonymous(size);
    check(madvise(memory, size, MADV_NOHUGEPAGE), "madvise");
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    action.sa_sigaction = on_refused;
    check(sigaction(SIGSEGV, &action, NULL), "sigaction");

    for (size_t at = 0; at < size; at += 4096)
        memory[at] = 1;
    check(mprotect(memory, size, PROT_READ), "mprotect");
    for (size_t at = 0; at < size; at += 4096)
        memory[at] = 2;
    printf("%zu writes were refused\n", refused);
    return 0;
}
