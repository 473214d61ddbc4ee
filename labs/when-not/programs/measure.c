// Measures what sending one byte of a file costs the CPU: four ways, by
// the size of what is sent. Prints one line for each sample.
//
// bytehop doesn't trace it: it would measure the tracing, too.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <time.h>

#include "support.h"

#define PIECE (64 * 1024)

static int file, ends[2];
static unsigned char buffer[PIECE];
static struct checksum sum;

struct way {
    const char *name;
    bool shares, adds;
};

// What this thread has used of the CPU, in nanoseconds.
static long cpu_time(void) {
    struct timespec time;
    check(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), "clock_gettime");
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

// Sends the first `size` bytes of the file.
static void send_part(const struct way *way, size_t size) {
    if (way->shares && way->adds) {
        // To be seen, they must be mapped.
        void *bytes = mapped(mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0));
        checksum_add(&sum, bytes, size);
        check(munmap(bytes, size), "munmap");
    }
    for (size_t at = 0; at < size; at += PIECE) {
        size_t n = size - at < PIECE ? size - at : PIECE;
        if (way->shares) {
            off_t from = at;
            n = check(sendfile(ends[0], file, &from, n), "sendfile");
        } else {
            read_exactly_at(file, buffer, n, at);
            if (way->adds)
                checksum_add(&sum, buffer, n);
            write_all(ends[0], buffer, n);
        }
        discard(ends[1], n);
    }
}

int main(int argc, char *argv[]) {
    static const struct way ways[] = {{"copy", false, false},
                                      {"share", true, false},
                                      {"copy-sum", false, true},
                                      {"share-sum", true, true}};
    arguments(argc, 2);
    file = check(open(argv[1], O_RDONLY), argv[1]);
    size_t rounds = number(argv[2]);
    tcp_pair(ends);

    printf("way,size,bytes,ns\n");
    for (size_t round = 1; round <= rounds; round++) {
        for (int power = 6; power <= 24; power += 2) {
            size_t size = (size_t)1 << power;
            // One tiny part takes less time than asking for the time.
            size_t times = PIECE / size;
            times = times < 1 ? 1 : times > 64 ? 64 : times;
            for (size_t i = 0; i < 4; i++) {
                // Another one is first in each round: what disturbs the
                // machine doesn't always hit the same way.
                const struct way *way = &ways[(round + i) % 4];
                long start = cpu_time();
                for (size_t n = 0; n < times; n++)
                    send_part(way, size);
                long ns = cpu_time() - start;
                printf("%s,%zu,%zu,%ld\n", way->name, size, times * size, ns);
            }
        }
    }
    // or it would not be made
    fprintf(stderr, "checksum %zx\n", (size_t)sum.sum);
    return 0;
}
