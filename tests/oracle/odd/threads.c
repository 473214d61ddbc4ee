// As many threads as asked for, all alive at once; each reads a byte.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static pthread_barrier_t all;
static int file;
static void *work(void *end) {
    char byte;
    pread(file, &byte, 1, 0);
    pthread_barrier_wait(&all);
    return end;
}
int main(int argc, char **argv) {
    int n = atoi(argv[1]);
    pthread_t *threads = calloc(n, sizeof *threads);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    file = open("/etc/passwd", O_RDONLY);
    pthread_barrier_init(&all, NULL, n);
    int made = 0;
    for (int i = 0; i < n; i++)
        made += pthread_create(threads + i, &small, work, NULL) == 0;
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    printf("%d\n", made);
    return 0;
}
