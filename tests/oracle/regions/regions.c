#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static char block[65536];
static int out;

static void mark(const char *what, const char *region) {
    char path[256];
    snprintf(path, sizeof path, "/dev/null/bytehop/%s/%s", what, region);
    if (access(path, F_OK) == 0)
        _exit(3);
}

static void put(void) {
    if (write(out, block, sizeof block) != sizeof block)
        _exit(4);
}

static void *worker(void *unused) {
    put();
    return unused;
}

int main(int argc, char **argv) {
    out = argc > 1 ? open(argv[1], O_CREAT | O_TRUNC | O_WRONLY, 0600) : -1;
    put();
    for (int pass = 0; pass < 3; pass++) {
        pthread_t thread;
        mark("begin", "load");
        if (pthread_create(&thread, 0, worker, 0))
            return 5;
        pthread_join(thread, 0);
        for (int i = 0; i < 4; i++) {
            mark("begin", "store");
            put();
            mark("end", "store");
        }
        mark("end", "load");
    }
    return 0;
}
