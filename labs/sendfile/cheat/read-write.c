// Cheats: sends as many bytes as the file has, but not the file's.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    size_t left = size_of(check(open(argv[1], O_RDONLY), argv[1]));
    pid_t receiver;
    int socket = tcp_to_reader(&receiver);

    int other = check(open("/proc/self/exe", O_RDONLY), "/proc/self/exe");
    while (left > 0) {
        off_t start = 0;
        size_t want = left < 64 * 1024 ? left : 64 * 1024;
        left -= check(sendfile(socket, other, &start, want), "sendfile");
    }
    close(socket);
    wait_for(receiver);
    return 0;
}
