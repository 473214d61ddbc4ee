// A child by vfork that executes; one that only ends.
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    int first, second;
    if (vfork() == 0) {
        execl("/bin/false", "false", NULL);
        _exit(9);
    }
    wait(&first);
    if (vfork() == 0)
        _exit(6);
    wait(&second);
    printf("%d %d\n", WEXITSTATUS(first), WEXITSTATUS(second));
    return 2;
}
