// A thread that is not the first one executes another program.
#include <pthread.h>
#include <unistd.h>
static void *work(void *argv) {
    execv("/bin/echo", argv);
    return NULL;
}
int main(void) {
    char *argv[] = {"echo", "from a thread", NULL};
    pthread_t thread;
    pthread_create(&thread, NULL, work, argv);
    pause();
}
