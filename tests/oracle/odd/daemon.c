// Forks twice and leaves; the daemon, in a session of its own, writes a line to a file after a while.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (fork() > 0)
        _exit(0);
    setsid();
    if (fork() > 0)
        _exit(0);
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    usleep(700000);
    int file = open(argv[1], O_WRONLY | O_CREAT, 0600);
    return write(file, "done\n", 5) != 5;
}
