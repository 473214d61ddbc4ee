// As many children as asked for, one after the other; each reads its parent's number.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
    int sum = 0, status;
    for (int i = atoi(argv[1]); i > 0; i--) {
        if (fork() == 0)
            _exit(getppid() > 0);
        wait(&status);
        sum += WEXITSTATUS(status);
    }
    printf("%d\n", sum);
    return 0;
}
