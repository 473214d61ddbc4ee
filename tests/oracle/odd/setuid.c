// Becomes nobody, and tries what root may.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    int before = open("/etc/shadow", O_RDONLY);
    setresgid(65534, 65534, 65534);
    setresuid(65534, 65534, 65534);
    printf("%d %d %d\n", before >= 0, open("/etc/shadow", O_RDONLY), getuid());
    return 4;
}
