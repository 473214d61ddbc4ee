// The same with O_DSYNC: each write waits until its data can be read
// back, but not, for one, until the file's new time of change is on the
// disk.
#include <fcntl.h>
#include <string.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_DSYNC;
    int file = check(open(argv[1], flags, 0666), argv[1]);
    size_t records = number(argv[2]);
    char record[4096];
    memset(record, '.', sizeof record);

    for (size_t i = 0; i < records; i++)
        write_all(file, record, sizeof record);
    return 0;
}
