#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
static inline void region_begin(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/dev/null/bytehop/begin/%s", name);
    access(path, F_OK);
}
static inline void region_end(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/dev/null/bytehop/end/%s", name);
    access(path, F_OK);
}
int main(void) {
    static char b[65536];
    int out = open("c.out", O_CREAT | O_TRUNC | O_WRONLY, 0600);
    for (int i = 0; i < 3; i++) {
        region_begin("load");
        int in = open("/bin/bash", O_RDONLY);
        ssize_t n;
        for (int k = 0; k < 4 && (n = read(in, b, sizeof b)) > 0; k++) {
            region_begin("store");
            write(out, b, n);
            region_end("store");
        }
        close(in);
        region_end("load");
    }
    fsync(out);
    return 0;
}
