// One program has bytes, another one wants them. Here the other one
// takes them out of the first one's memory; only who may debug a process
// may do that.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    int file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t size = size_of(file);
    // at the same address in the child, which alone fills it
    unsigned char *theirs = anonymous(size);
    int ready[2], done[2];
    check(pipe(ready), "pipe");
    check(pipe(done), "pipe");
    char byte = 1;

    pid_t owner = check(fork(), "fork");
    if (owner == 0) {
        read_exactly(file, theirs, size);
        write_all(ready[1], &byte, 1);
        read_exactly(done[0], &byte, 1); // until then, the memory must stay
        _exit(0);
    }
    read_exactly(ready[0], &byte, 1);
    char *data = malloc(size);
    size_t got = 0;
    while (got < size) {
        struct iovec here = {data + got, size - got};
        struct iovec there = {theirs + got, size - got};
        got += check(process_vm_readv(owner, &here, 1, &there, 1, 0),
                     "process_vm_readv");
    }
    write_all(done[1], &byte, 1);
    wait_for(owner);

    struct checksum checksum = {0};
    checksum_add(&checksum, data, size);
    printf("received %zu bytes, ", size);
    checksum_print(&checksum, "checksum ");
    return 0;
}
