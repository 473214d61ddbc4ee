// Nobody but root may look into it.
#include <stdio.h>
#include <sys/prctl.h>
int main(void) {
    prctl(PR_SET_DUMPABLE, 0);
    FILE *file = fopen("/etc/passwd", "r");
    printf("%d %d\n", prctl(PR_GET_DUMPABLE), fgetc(file) != EOF);
    return 5;
}
