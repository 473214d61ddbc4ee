// Writes records to a file, and asks once, at the end, that they are on
// the disk.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int flags = O_WRONLY | O_CREAT | O_TRUNC;
    int file = check(open(argv[1], flags, 0666), argv[1]);
    size_t records = number(argv[2]);
    char record[4096];
    memset(record, '.', sizeof record);

    for (size_t i = 0; i < records; i++)
        write_all(file, record, sizeof record);
    check(fsync(file), "fsync"); // comes back when the disk has everything
    return 0;
}
