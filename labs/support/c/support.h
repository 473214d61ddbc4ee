// What the C programs of the guided labs share, so that each is only about
// its subject. Nothing here needs more than a C compiler and its headers.
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// --- Errors and arguments ---------------------------------------------

// `result`, unless it is negative: then the program ends, with what errno
// says.
long check(long result, const char *what);

// The same for what mmap() returned.
void *mapped(void *result);

// Ends the program unless it has so many arguments.
void arguments(int argc, int wanted);

// An argument that is a number.
size_t number(const char *text);

// Ends the program: this machine can't do what it shows.
_Noreturn void unavailable(const char *why);

// --- Files --------------------------------------------------------------

// Writes all of it, with as many calls as the kernel makes of it.
void write_all(int fd, const void *bytes, size_t n);

// Reads exactly `n` bytes: from where the file is, or from `at`.
void read_exactly(int fd, void *bytes, size_t n);
void read_exactly_at(int fd, void *bytes, size_t n, off_t at);

// How long a file is.
size_t size_of(int fd);

// All of a file, in memory of its own.
unsigned char *whole_file(const char *path, size_t *size);

// --- A checksum ---------------------------------------------------------

// To compare what programs got; and because it needs the bytes themselves,
// as encrypting or compressing them would. Their order counts, in which
// pieces they come does not. Starts as `{0}`.
struct checksum {
    uint64_t sum;
    unsigned char rest[8]; // bytes that are not yet eight
    size_t length;
};
void checksum_add(struct checksum *checksum, const void *bytes, size_t n);

// Prints its value, in hexadecimal, with text before it.
void checksum_print(const struct checksum *checksum, const char *before);

// --- Memory straight from the kernel --------------------------------------

// New private memory: whole pages, never given back.
unsigned char *anonymous(size_t n);

// --- Other processes ------------------------------------------------------

// Waits for a child; ends the program if the child failed.
void wait_for(pid_t child);

// Makes a child that reads `from` to the end, and prints how much it got
// and a checksum of it. The child closes its copy of `ours`: while a way
// into a pipe or a socket is open, it has no end.
pid_t reader(int from, int ours);

// The way to such a child: a TCP connection over the loopback device, a
// UNIX socket, or a pipe.
int tcp_to_reader(pid_t *child);
int unix_to_reader(pid_t *child);
int pipe_to_reader(pid_t *child);

// A TCP connection to a server elsewhere, by its IPv4 address and port.
int tcp_to_server(const char *address, unsigned short port);

// Waits until the server has confirmed everything that was sent to it.
void wait_until_taken(int socket);

// A TCP connection within this program: what is sent on `ends[0]` waits at
// `ends[1]`, until discard() has the kernel throw it away. Nobody copies it.
void tcp_pair(int ends[2]);
void discard(int socket, size_t n);

// --- A web server and its client ------------------------------------------

// Serves files over one connection, to a child that gets all of them so
// many times, and then prints a checksum of what it got. `answer` sends the
// body of an answer: the whole file.
void serve(char *const files[], int count, size_t times,
           void (*answer)(int client, int file));

// --- MSG_ZEROCOPY -----------------------------------------------------------

// Tells the kernel that this socket will be used with MSG_ZEROCOPY.
void zerocopy_enable(int socket);

// Waits for one notification from the socket's error queue: how many sends
// it is about. Their pages the kernel needs no more. `copied`: whether it
// copied the bytes after all.
size_t zerocopy_notification(int socket, bool *copied);

// --- Encryption -------------------------------------------------------------

// None of this is secure: there is no handshake, the keys are in the source,
// and the cipher is a generator of random numbers. It costs what a cipher
// costs: every byte is read, and another is written.

// A stream cipher; done twice, it gives back what there was. Starts as
// `{0}`. Both ends must see all bytes, in order.
struct cipher {
    uint64_t at, word;
};

// Reads `n` bytes, and writes as many, encrypted or decrypted. `to` may be
// `from`.
void encrypt(struct cipher *cipher, unsigned char *to,
             const unsigned char *from, size_t n);

// A TCP connection to a child that decrypts what comes, as reader() reads.
// It also prints a checksum of the bytes as they came.
int tcp_to_decrypter(pid_t *child);

// The same with the kernel's TLS at both ends: the kernel encrypts what is
// written to the connection, and decrypts what the child reads.
int ktls_to_reader(pid_t *child);

// --- io_uring -----------------------------------------------------------------

// Two queues in memory that the program shares with the kernel: requests go
// one way, completions come back the other.
struct ring {
    int fd;
    bool kernel_thread;
    // what there is room for, and how much is not yet handed over
    unsigned entries, pushed;
    struct io_uring_sqe *requests;
    unsigned *sq_head, *sq_tail, *sq_mask, *sq_flags;
    unsigned *cq_head, *cq_tail, *cq_mask;
    struct io_uring_cqe *completions;
};

// A ring for so many requests at a time.
struct ring ring_new(unsigned entries);

// The same, with a thread of the kernel that takes the requests. It looks
// at the ring without a pause until there was nothing for `idle`
// milliseconds; then it sleeps until it is woken.
struct ring ring_with_kernel_thread(unsigned entries, unsigned idle);

// A ring whose completions the kernel looks for itself, without a pause,
// instead of waiting for an interrupt. It is for reads with O_DIRECT, from a
// disk with a queue for that.
struct ring ring_polled(unsigned entries);

// A ring for sends by reference. Ends the program where the kernel knows no
// such request.
struct ring ring_for_sends(unsigned entries);

// Registers one buffer: the kernel looks up and pins its pages now, not
// again for each request.
void ring_register(struct ring *ring, void *buffer, size_t n);

// Put a request into the ring. The kernel is not told: that takes a system
// call, or its thread. Until it is completed, the buffer stays as it is.
void ring_read(struct ring *ring, int file, void *buffer, size_t n, off_t at);
void ring_read_registered(struct ring *ring, int file, void *buffer, size_t n,
                          off_t at);
void ring_send_by_reference(struct ring *ring, int socket, const void *bytes,
                            size_t n);

// Hands over what was pushed, with a system call (with a thread of the
// kernel, only if it sleeps), and waits until so many are completed.
void ring_submit_and_wait(struct ring *ring, unsigned wanted);

// Takes a completion: what the request returned, as of the system call.
// False if there is none. `pages_free`, if it is not NULL: whether this only
// says that the pages of a send by reference are needed no more.
bool ring_completion(struct ring *ring, long *result, bool *pages_free);

#endif
