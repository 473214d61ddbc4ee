// Answers requests from a file, each part in the way that its size asks
// for: a small one is copied, for the large one the pages are mapped and
// passed on.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "support.h"

#define PIECE (64 * 1024)
// Below this, copying costs less than a mapping; the chart says where.
#define SMALL (64 * 1024)

static int file, ends[2]; // where parts come from, and a TCP connection
static struct checksum sum;

static void answer(size_t start, size_t end) {
    size_t size = end - start;
    if (size < SMALL) {
        static unsigned char buffer[SMALL];
        read_exactly_at(file, buffer, size, start);
        checksum_add(&sum, buffer, size);
        write_all(ends[0], buffer, size);
        discard(ends[1], size);
        return;
    }
    char *bytes =
        mapped(mmap(NULL, size, PROT_READ, MAP_SHARED, file, start));
    checksum_add(&sum, bytes, size);
    check(munmap(bytes, size), "munmap");

    off_t at = start; // sendfile() moves it on
    while ((size_t)at < end) {
        size_t left = end - at;
        size_t n = left < PIECE ? left : PIECE;
        n = check(sendfile(ends[0], file, &at, n), "sendfile");
        discard(ends[1], n);
    }
}

int main(int argc, char *argv[]) {
    arguments(argc, 3);
    file = check(open(argv[1], O_RDONLY), argv[1]);
    tcp_pair(ends);
    size_t records = 4096 * number(argv[2]), record = number(argv[3]);

    for (size_t at = 0; at < records; at += 4096)
        answer(at, at + record);
    answer(records, size_of(file));
    checksum_print(&sum, "checksum ");
    return 0;
}
