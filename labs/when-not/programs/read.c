// Answers requests from a file: many small records, and one large part.
// Before a part is sent, its bytes are added to a checksum, as a server
// that encrypts or compresses must see them.
//
// This version copies: read into a buffer, write from the buffer.
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

#define PIECE (64 * 1024)

static int file, ends[2]; // where parts come from, and a TCP connection
static struct checksum sum;

static void answer(size_t start, size_t end) {
    static unsigned char buffer[PIECE];
    for (size_t at = start; at < end; at += PIECE) {
        size_t n = end - at < PIECE ? end - at : PIECE;
        read_exactly_at(file, buffer, n, at);
        checksum_add(&sum, buffer, n);
        write_all(ends[0], buffer, n);
        discard(ends[1], n); // at the other end, nobody looks
    }
}

int main(int argc, char *argv[]) {
    arguments(argc, 3);
    file = check(open(argv[1], O_RDONLY), argv[1]);
    tcp_pair(ends);
    // Each record has a page of its own; what follows them is the large
    // part.
    size_t records = 4096 * number(argv[2]), record = number(argv[3]);

    for (size_t at = 0; at < records; at += 4096)
        answer(at, at + record);
    answer(records, size_of(file));
    checksum_print(&sum, "checksum ");
    return 0;
}
