// A child by clone3, into the cgroup whose directory is given, if one is.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct clone_args how = {.exit_signal = SIGCHLD};
    if (argc > 1) {
        how.flags = CLONE_INTO_CGROUP;
        how.cgroup = open(argv[1], O_RDONLY | O_DIRECTORY);
    }
    long child = syscall(SYS_clone3, &how, sizeof how);
    if (child == 0)
        _exit(getppid() > 0 ? 7 : 8);
    int status = 0;
    waitpid(child, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
    return child < 0;
}
