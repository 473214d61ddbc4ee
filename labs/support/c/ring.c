// io_uring with no library in between: two system calls, and memory that is
// shared with the kernel. See support.h.
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// Newer than the headers of some systems.
#define SEND_ZC 47             // IORING_OP_SEND_ZC
#define PAGES_FREE (1U << 3)   // IORING_CQE_F_NOTIF

static struct ring ring_made(unsigned entries, struct io_uring_params params) {
    long fd = syscall(SYS_io_uring_setup, entries, &params);
    if (fd < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS)) {
        char why[128];
        snprintf(why, sizeof why, "io_uring is not available here: %s",
                 strerror(errno));
        unavailable(why);
    }
    check(fd, "io_uring_setup");

    const int rights = PROT_READ | PROT_WRITE;
    const int flags = MAP_SHARED | MAP_POPULATE;
    size_t sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    size_t cq_size = params.cq_off.cqes +
                     params.cq_entries * sizeof(struct io_uring_cqe);
    size_t sqes = params.sq_entries * sizeof(struct io_uring_sqe);
    char *sq = mapped(mmap(NULL, sq_size, rights, flags, fd, IORING_OFF_SQ_RING));
    char *cq = mapped(mmap(NULL, cq_size, rights, flags, fd, IORING_OFF_CQ_RING));
    // The queue holds numbers of requests; here number i is always at i.
    unsigned *array = (unsigned *)(sq + params.sq_off.array);
    for (unsigned i = 0; i < params.sq_entries; i++)
        array[i] = i;
    return (struct ring){
        .fd = fd,
        .kernel_thread = (params.flags & IORING_SETUP_SQPOLL) != 0,
        .entries = params.sq_entries,
        .requests = mapped(mmap(NULL, sqes, rights, flags, fd, IORING_OFF_SQES)),
        .sq_head = (unsigned *)(sq + params.sq_off.head),
        .sq_tail = (unsigned *)(sq + params.sq_off.tail),
        .sq_mask = (unsigned *)(sq + params.sq_off.ring_mask),
        .sq_flags = (unsigned *)(sq + params.sq_off.flags),
        .cq_head = (unsigned *)(cq + params.cq_off.head),
        .cq_tail = (unsigned *)(cq + params.cq_off.tail),
        .cq_mask = (unsigned *)(cq + params.cq_off.ring_mask),
        .completions = (struct io_uring_cqe *)(cq + params.cq_off.cqes),
    };
}

struct ring ring_new(unsigned entries) {
    return ring_made(entries, (struct io_uring_params){0});
}

struct ring ring_with_kernel_thread(unsigned entries, unsigned idle) {
    return ring_made(entries, (struct io_uring_params){
                                  .flags = IORING_SETUP_SQPOLL,
                                  .sq_thread_idle = idle,
                              });
}

struct ring ring_polled(unsigned entries) {
    return ring_made(entries, (struct io_uring_params){
                                  .flags = IORING_SETUP_IOPOLL,
                              });
}

struct ring ring_for_sends(unsigned entries) {
    struct ring ring = ring_new(entries);
    size_t size = sizeof(struct io_uring_probe) +
                  256 * sizeof(struct io_uring_probe_op);
    struct io_uring_probe *known = calloc(1, size);
    check(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PROBE, known,
                  256),
          "io_uring_register");
    if (known->last_op < SEND_ZC ||
        !(known->ops[SEND_ZC].flags & IO_URING_OP_SUPPORTED))
        unavailable("io_uring has no zero-copy send here");
    free(known);
    return ring;
}

void ring_register(struct ring *ring, void *buffer, size_t n) {
    struct iovec whole = {.iov_base = buffer, .iov_len = n};
    check(syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS,
                  &whole, 1),
          "io_uring_register");
}

static void push(struct ring *ring, struct io_uring_sqe request) {
    unsigned tail = *ring->sq_tail; // only we write it
    // The kernel moves the head on when it has taken a request. With a
    // thread of its own, the ring is full until that gets to run.
    while (tail - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE) ==
           ring->entries) {
        if (!ring->kernel_thread) {
            fprintf(stderr, "the ring is full\n");
            exit(1);
        }
        sched_yield();
    }
    ring->requests[tail & *ring->sq_mask] = request;
    // First the request, then the new end: in this order for the kernel.
    __atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
    ring->pushed++;
}

void ring_read(struct ring *ring, int file, void *buffer, size_t n, off_t at) {
    push(ring, (struct io_uring_sqe){
                   .opcode = IORING_OP_READ,
                   .fd = file,
                   .addr = (uintptr_t)buffer,
                   .len = n,
                   .off = at,
               });
}

void ring_read_registered(struct ring *ring, int file, void *buffer, size_t n,
                          off_t at) {
    push(ring, (struct io_uring_sqe){
                   .opcode = IORING_OP_READ_FIXED,
                   .fd = file,
                   .addr = (uintptr_t)buffer,
                   .len = n,
                   .off = at,
               });
}

void ring_send_by_reference(struct ring *ring, int socket, const void *bytes,
                            size_t n) {
    push(ring, (struct io_uring_sqe){
                   .opcode = SEND_ZC,
                   .fd = socket,
                   .addr = (uintptr_t)bytes,
                   .len = n,
               });
}

void ring_submit_and_wait(struct ring *ring, unsigned wanted) {
    unsigned flags = wanted > 0 ? IORING_ENTER_GETEVENTS : 0;
    unsigned submit = ring->pushed;
    ring->pushed = 0;
    if (ring->kernel_thread) {
        // Our new tail must be there before we look whether it sleeps.
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (__atomic_load_n(ring->sq_flags, __ATOMIC_RELAXED) &
            IORING_SQ_NEED_WAKEUP)
            flags |= IORING_ENTER_SQ_WAKEUP;
        else if (wanted == 0)
            return; // no call: its thread sees the requests
    }
    check(syscall(SYS_io_uring_enter, ring->fd, submit, wanted, flags, NULL, 0),
          "io_uring_enter");
}

bool ring_completion(struct ring *ring, long *result, bool *pages_free) {
    unsigned head = *ring->cq_head; // only we write it
    if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
        return false;
    const struct io_uring_cqe *done = &ring->completions[head & *ring->cq_mask];
    bool free = (done->flags & PAGES_FREE) != 0;
    if (pages_free != NULL)
        *pages_free = free;
    *result = done->res;
    // A failed request has no errno of its own: it is in the completion.
    if (!free && done->res < 0) {
        errno = -done->res;
        perror("a request");
        exit(1);
    }
    __atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
    return true;
}
