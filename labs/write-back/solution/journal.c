// Copies a file record by record into a journal. When it ends, every
// record must be on the disk.
//
// The promise is about the end, so it is enough to ask for it once, at
// the end.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int records = check(open(argv[1], O_RDONLY), argv[1]);
    int flags = O_WRONLY | O_CREAT | O_TRUNC;
    int journal = check(open(argv[2], flags, 0666), argv[2]);

    char record[4096];
    ssize_t n;
    while ((n = check(read(records, record, sizeof record), "read")) > 0)
        write_all(journal, record, n);
    check(fsync(journal), "fsync"); // before it is said, not after
    printf("all records are on the disk\n");
    return 0;
}
