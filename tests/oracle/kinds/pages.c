/* Memory that is filled before it is touched, and calls that move pages without a word. Prints how much of the
   mapping is in memory, by the kernel's own count (Rss, in bytes). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE (8L << 20)

static char *map(int prot, int flags, int fd) {
    char *at = mmap(0, SIZE, prot, flags, fd, 0);
    if (at == MAP_FAILED) exit(77);
    return at;
}

static long rss(char *at) {
    char line[512];
    unsigned long from = 0, to;
    long kib;
    FILE *smaps = fopen("/proc/self/smaps", "r");
    while (smaps && fgets(line, sizeof line, smaps)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) continue;
        if (from == (unsigned long)at && sscanf(line, "Rss: %ld", &kib) == 1) return kib << 10;
    }
    exit(3);
}

int main(int n, char **words) {
    const char *how = words[1];
    int file = n > 2 ? open(words[2], O_RDWR) : -1;
    char *at;
    if (!strcmp(how, "populate-anonymous")) {
        at = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1);
    } else if (!strcmp(how, "populate-memfd")) {
        int memory = memfd_create("pages", 0);
        if (memory < 0 || ftruncate(memory, SIZE)) exit(77);
        at = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, memory);
    } else if (!strcmp(how, "populate")) {
        at = map(PROT_READ, MAP_SHARED | MAP_POPULATE, file);
    } else if (!strcmp(how, "populate-private")) {
        at = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, file);
    } else if (!strcmp(how, "populate-nothing")) {
        at = map(PROT_NONE, MAP_SHARED | MAP_POPULATE, file);
    } else if (!strcmp(how, "mlock")) {
        at = map(PROT_READ, MAP_SHARED, file);
        if (mlock(at, SIZE)) exit(77);
    } else if (!strcmp(how, "direct")) {
        /* A device writes into pages of another file. */
        int from = open(words[3], O_RDONLY | O_DIRECT);
        at = map(PROT_READ | PROT_WRITE, MAP_SHARED, file);
        if (from < 0 || pread(from, at, SIZE, 0) != SIZE) exit(77);
    } else if (!strcmp(how, "collapse")) {
        at = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        madvise(at, SIZE, MADV_NOHUGEPAGE);
        memset(at, 1, SIZE);
        madvise(at, SIZE, MADV_HUGEPAGE);
        char *huge = (char *)(((unsigned long)at + (2 << 20) - 1) & -(2UL << 20));
        if (madvise(huge, 2 << 20, 25)) exit(77);
    } else {
        int memory = memfd_create("pages", 0);
        int faults = syscall(SYS_userfaultfd, 0);
        struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM};
        if (memory < 0 || ftruncate(memory, SIZE) || faults < 0) exit(77);
        memset(map(PROT_READ | PROT_WRITE, MAP_SHARED, memory), 1, SIZE);
        at = map(PROT_READ | PROT_WRITE, MAP_SHARED, memory);
        struct uffdio_range range = {(unsigned long)at, SIZE};
        struct uffdio_register watch = {.range = range, .mode = UFFDIO_REGISTER_MODE_MINOR};
        struct uffdio_continue more = {.range = range};
        if (ioctl(faults, UFFDIO_API, &api) || ioctl(faults, UFFDIO_REGISTER, &watch)) exit(77);
        if (ioctl(faults, UFFDIO_CONTINUE, &more)) exit(77);
    }
    printf("%ld\n", rss(at));
    return 0;
}
