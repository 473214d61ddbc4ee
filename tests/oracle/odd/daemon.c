// Forks twice and leaves; the daemon, in a session of its own, writes a line to a file after a while.
// The first process waits for the second, so that one alone is left behind.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (fork() > 0) {
        wait(0);
        _exit(0);
    }
    setsid();
    if (fork() > 0)
        _exit(0);
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    usleep(700000);
    int file = open(argv[1], O_WRONLY | O_CREAT, 0600);
    return write(file, "done\n", 5) != 5;
}
