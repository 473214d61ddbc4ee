// Errors, files, memory, checksums. See support.h.
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

long check(long result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
    return result;
}

void *mapped(void *result) {
    check(result == MAP_FAILED ? -1 : 0, "mmap");
    return result;
}

void arguments(int argc, int wanted) {
    if (argc - 1 != wanted) {
        fprintf(stderr, "%d arguments needed, not %d\n", wanted, argc - 1);
        exit(1);
    }
}

size_t number(const char *text) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-') {
        fprintf(stderr, "not a number: %s\n", text);
        exit(1);
    }
    return value;
}

void unavailable(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(77); // by which the lab knows, and takes its recording
}

void write_all(int fd, const void *bytes, size_t n) {
    const unsigned char *rest = bytes;
    while (n > 0) {
        size_t written = check(write(fd, rest, n), "write");
        rest += written;
        n -= written;
    }
}

static void too_short(void) {
    fprintf(stderr, "the end came too early\n");
    exit(1);
}

void read_exactly(int fd, void *bytes, size_t n) {
    unsigned char *rest = bytes;
    while (n > 0) {
        size_t got = check(read(fd, rest, n), "read");
        if (got == 0)
            too_short();
        rest += got;
        n -= got;
    }
}

void read_exactly_at(int fd, void *bytes, size_t n, off_t at) {
    unsigned char *rest = bytes;
    while (n > 0) {
        size_t got = check(pread(fd, rest, n, at), "pread");
        if (got == 0)
            too_short();
        rest += got;
        at += got;
        n -= got;
    }
}

size_t size_of(int fd) {
    struct stat status;
    check(fstat(fd, &status), "fstat");
    return status.st_size;
}

unsigned char *whole_file(const char *path, size_t *size) {
    int fd = check(open(path, O_RDONLY), path);
    *size = size_of(fd);
    unsigned char *bytes = malloc(*size > 0 ? *size : 1);
    if (bytes == NULL)
        check(-1, "malloc");
    read_exactly(fd, bytes, *size);
    close(fd);
    return bytes;
}

static uint64_t with(uint64_t sum, const unsigned char word[8]) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | word[i];
    return (sum << 5 | sum >> 59) + value;
}

void checksum_add(struct checksum *checksum, const void *bytes, size_t n) {
    const unsigned char *next = bytes;
    while (n > 0 && checksum->length > 0) {
        checksum->rest[checksum->length++] = *next++;
        n--;
        if (checksum->length == 8) {
            checksum->sum = with(checksum->sum, checksum->rest);
            checksum->length = 0;
        }
    }
    for (; n >= 8; next += 8, n -= 8)
        checksum->sum = with(checksum->sum, next);
    // Here either nothing is left, or `rest` is empty.
    if (n > 0) {
        memcpy(checksum->rest, next, n);
        checksum->length = n;
    }
}

void checksum_print(const struct checksum *checksum, const char *before) {
    unsigned char last[8] = {0};
    memcpy(last, checksum->rest, checksum->length);
    printf("%s%016" PRIx64 "\n", before, with(checksum->sum, last));
}

unsigned char *anonymous(size_t n) {
    return mapped(mmap(NULL, n, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
