// Only read, write and exit are allowed; the next call ends it.
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    write(1, "strict\n", 7);
    if (argc > 1)
        syscall(SYS_getppid);
    syscall(SYS_exit, 3);
}
