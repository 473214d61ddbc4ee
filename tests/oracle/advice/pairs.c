/* Programs with something to improve, and the same programs with it improved: pairs WHAT before|after DIR.
   DIR holds `input` of 4 MiB. Status 77: the improvement is not possible here. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, SIZE = 4 << 20, PAGE = 4096 };
static int after;
static char *buffer;

static void must(int holds, const char *what) {
  if (!holds) {
    perror(what);
    exit(1);
  }
}

static int opened(const char *path, int flags) {
  int fd = open(path, flags, 0644);
  must(fd >= 0, path);
  return fd;
}

/* A connection over loopback. */
static void connected(int ends[2]) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  must(bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 1) == 0, "listen");
  getsockname(listener, (struct sockaddr *)&at, &len);
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  must(connect(ends[0], (struct sockaddr *)&at, len) == 0, "connect");
  ends[1] = accept(listener, 0, 0);
  close(listener);
}

static void *drain(void *arg) {
  char *bytes = malloc(CHUNK);
  while (recv((int)(long)arg, bytes, CHUNK, MSG_WAITALL) > 0)
    ;
  return 0;
}

static void *drain_pipe(void *arg) {
  char *bytes = malloc(CHUNK);
  while (read((int)(long)arg, bytes, CHUNK) > 0)
    ;
  return 0;
}

static void *feed(void *arg) {
  char *bytes = malloc(CHUNK);
  memset(bytes, 1, CHUNK);
  for (int i = 0; i < SIZE; i += CHUNK)
    must(send((int)(long)arg, bytes, CHUNK, 0) == CHUNK, "send");
  shutdown((int)(long)arg, SHUT_WR);
  return 0;
}

static unsigned checksum(const char *bytes, long n) {
  volatile unsigned sum = 0;
  for (long i = 0; i < n; i++)
    sum = sum * 31 + (unsigned char)bytes[i];
  return sum;
}

static void serve(int check) {
  int ends[2], file = opened("input", O_RDONLY);
  pthread_t thread;
  connected(ends);
  pthread_create(&thread, 0, drain, (void *)(long)ends[1]);
  if (after)
    for (long left = SIZE; left > 0;) {
      long n = sendfile(ends[0], file, 0, left);
      must(n > 0, "sendfile");
      left -= n;
    }
  else
    for (long n; (n = read(file, buffer, CHUNK)) > 0;) {
      if (check)
        checksum(buffer, n);
      must(write(ends[0], buffer, n) == n, "write"); /* serve */
    }
  shutdown(ends[0], SHUT_WR);
  pthread_join(thread, 0);
}

/* A file for each request. */
static void requests(void) {
  int ends[2];
  pthread_t thread;
  connected(ends);
  pthread_create(&thread, 0, drain, (void *)(long)ends[1]);
  for (int i = 0; i < 64; i++) {
    int file = opened("input", O_RDONLY);
    if (after)
      must(sendfile(ends[0], file, 0, CHUNK / 2) == CHUNK / 2, "sendfile");
    else {
      must(read(file, buffer, CHUNK / 2) == CHUNK / 2, "read");
      must(write(ends[0], buffer, CHUNK / 2) == CHUNK / 2, "write"); /* requests */
    }
    close(file);
  }
  shutdown(ends[0], SHUT_WR);
  pthread_join(thread, 0);
}

/* From a file into a pipe whose other end a thread reads. */
static void piped(void) {
  int pipes[2], file = opened("input", O_RDONLY);
  pthread_t thread;
  must(pipe(pipes) == 0, "pipe");
  pthread_create(&thread, 0, drain_pipe, (void *)(long)pipes[0]);
  for (long left = SIZE; left > 0;) {
    long n;
    if (after)
      n = splice(file, 0, pipes[1], 0, CHUNK, 0);
    else {
      n = read(file, buffer, CHUNK);
      must(write(pipes[1], buffer, n) == n, "write"); /* piped */
    }
    must(n > 0, "read");
    left -= n;
  }
  close(pipes[1]);
  pthread_join(thread, 0);
}

static void relay(void) {
  int in[2], out[2], pipes[2];
  pthread_t feeder, drainer;
  connected(in);
  connected(out);
  pthread_create(&feeder, 0, feed, (void *)(long)in[0]);
  pthread_create(&drainer, 0, drain, (void *)(long)out[1]);
  must(pipe(pipes) == 0, "pipe");
  for (long n;;) {
    if (after) {
      n = splice(in[1], 0, pipes[1], 0, CHUNK, SPLICE_F_MOVE);
      if (n <= 0)
        break;
      while (n > 0) {
        long m = splice(pipes[0], 0, out[0], 0, n, SPLICE_F_MOVE);
        must(m > 0, "splice");
        n -= m;
      }
    } else {
      n = read(in[1], buffer, CHUNK);
      if (n <= 0)
        break;
      must(write(out[0], buffer, n) == n, "write"); /* relay */
    }
  }
  shutdown(out[0], SHUT_WR);
  pthread_join(feeder, 0);
  pthread_join(drainer, 0);
}

static void bytes(void) {
  int file = opened("input", O_RDONLY);
  for (int i = 0; i < 20000; i++) {
    must(read(file, buffer, after ? 20000 : 1) > 0, "read"); /* bytes */
    if (after)
      break;
  }
}

/* Small pieces into a file, and to a peer that only listens. */
static void pieces(int to_socket) {
  enum { PIECE = 50, PIECES = 4000 };
  int ends[2] = {0, 0}, to;
  pthread_t thread;
  if (to_socket) {
    connected(ends);
    pthread_create(&thread, 0, drain, (void *)(long)ends[1]);
    to = ends[0];
  } else
    to = opened("pieces", O_WRONLY | O_CREAT | O_TRUNC);
  long size = after ? CHUNK : PIECE;
  for (long left = PIECE * PIECES; left > 0; left -= size) {
    if (size > left)
      size = left;
    must(write(to, buffer, size) == size, "write"); /* pieces */
  }
  if (to_socket) {
    shutdown(to, SHUT_WR);
    pthread_join(thread, 0);
  }
}

/* The whole file for each question, opened anew. */
static void reopened(void) {
  for (int round = 0; round < (after ? 1 : 64); round++) {
    int file = opened("input", O_RDONLY);
    long n, left = 32 * PAGE;
    while (left > 0 && (n = read(file, buffer, CHUNK)) > 0) /* reopened */
      left -= n;
    close(file);
  }
}

static unsigned next_block(unsigned i) {
  /* Every block once, neighbours never one after the other. */
  return i * 389 % (SIZE / PAGE);
}

/* Blocks all over a file that is not in memory. */
static void scattered(void) {
  enum { BATCH = 32, BLOCKS = SIZE / PAGE };
  int file = opened("input", O_RDONLY);
  posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
  must(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0, "fadvise");
  if (!after) {
    for (unsigned i = 0; i < BLOCKS; i++)
      must(pread(file, buffer, PAGE, (long)next_block(i) * PAGE) == PAGE, "pread"); /* scattered */
    return;
  }
  struct io_uring_params p = {0};
  int ring = syscall(SYS_io_uring_setup, BATCH, &p);
  if (ring < 0)
    exit(77);
  long size = p.sq_off.array + p.sq_entries * sizeof(unsigned);
  long done_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
  if (done_size > size)
    size = done_size;
  char *sq = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *sqes = mmap(0, p.sq_entries * sizeof *sqes, PROT_READ | PROT_WRITE, MAP_SHARED,
                                   ring, IORING_OFF_SQES);
  must(sq != MAP_FAILED && (void *)sqes != MAP_FAILED, "mmap");
  if (!(p.features & IORING_FEAT_SINGLE_MMAP))
    exit(77);
  unsigned *tail = (unsigned *)(sq + p.sq_off.tail), *array = (unsigned *)(sq + p.sq_off.array);
  unsigned *head = (unsigned *)(sq + p.cq_off.head), *end = (unsigned *)(sq + p.cq_off.tail);
  unsigned mask = *(unsigned *)(sq + p.sq_off.ring_mask), done_mask = *(unsigned *)(sq + p.cq_off.ring_mask);
  struct io_uring_cqe *cqes = (struct io_uring_cqe *)(sq + p.cq_off.cqes);
  char *blocks = aligned_alloc(PAGE, BATCH * PAGE);
  memset(blocks, 1, BATCH * PAGE);
  for (unsigned i = 0; i < BLOCKS; i += BATCH) {
    for (unsigned j = 0; j < BATCH; j++) {
      unsigned slot = (*tail + j) & mask;
      sqes[slot] = (struct io_uring_sqe){.opcode = IORING_OP_READ, .fd = file, .len = PAGE,
        .addr = (unsigned long)(blocks + j * PAGE), .off = (unsigned long)next_block(i + j) * PAGE};
      array[slot] = slot;
    }
    __atomic_store_n(tail, *tail + BATCH, __ATOMIC_RELEASE);
    must(syscall(SYS_io_uring_enter, ring, BATCH, BATCH, IORING_ENTER_GETEVENTS, 0, 0) == BATCH, "enter");
    for (; *head != __atomic_load_n(end, __ATOMIC_ACQUIRE); ++*head)
      must(cqes[*head & done_mask].res == PAGE, "a request");
  }
}

static void again(void) {
  int file = opened("input", O_RDONLY);
  for (int round = 0; round < (after ? 1 : 8); round++) {
    lseek(file, 0, SEEK_SET);
    for (int i = 0; i < SIZE; i += CHUNK)
      must(read(file, buffer, CHUNK) == CHUNK, "read"); /* again */
  }
}

static void sync_each(void) {
  int file = opened("records", O_WRONLY | O_CREAT | O_TRUNC);
  for (int i = 0; i < 32; i++) {
    must(write(file, buffer, 100) == 100, "write");
    if (!after || i == 31)
      fdatasync(file); /* sync */
  }
}

/* Every record waits for the device: after, only the last. */
static void sync_flag(void) {
  int file = opened("records", O_WRONLY | O_CREAT | O_TRUNC | (after ? 0 : O_DSYNC));
  for (int i = 0; i < 32; i++)
    must(write(file, buffer, 100) == 100, "write"); /* flag */
  if (after)
    fdatasync(file);
}

static void touch(char *memory, long size) {
  for (long i = 0; i < size; i += PAGE)
    memory[i] = 1; /* touch */
}

static char *anonymous(long size, int flags) {
  char *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
  must(memory != MAP_FAILED, "mmap");
  return memory;
}

static void storm(void) {
  long huge = 2 << 20, size = 32 << 20;
  FILE *always = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
  char mode[64] = "";
  /* Where every program has huge pages, there is nothing to be asked for. */
  if (!always || !fgets(mode, sizeof mode, always) || !strstr(mode, "[madvise]"))
    exit(77);
  fclose(always);
  char *memory = anonymous(size + huge, MAP_PRIVATE);
  memory = (char *)(((unsigned long)memory + huge - 1) & -huge);
  if (after)
    madvise(memory, size, MADV_HUGEPAGE);
  touch(memory, size);
  if (after) {
    char line[256];
    long kib, all = 0;
    FILE *maps = fopen("/proc/self/smaps", "r");
    while (fgets(line, sizeof line, maps))
      if (sscanf(line, "AnonHugePages: %ld", &kib) == 1)
        all += kib;
    if (all < size / 1024)
      exit(77);
  }
}

/* Slices of a mapped file, each through a new buffer. */
static void slices(void) {
  int from = opened("input", O_RDONLY), to = opened("copy", O_WRONLY | O_CREAT | O_TRUNC);
  long slice = 256 << 10;
  char *file = mmap(0, SIZE, PROT_READ, MAP_SHARED | MAP_POPULATE, from, 0), *one = 0;
  must(file != MAP_FAILED, "mmap");
  for (long i = 0; i < SIZE; i += slice) {
    if (!one || !after)
      one = anonymous(slice, MAP_PRIVATE);
    memcpy(one, file + i, slice); /* slices */
    must(write(to, one, slice) == slice, "write");
    if (!after)
      munmap(one, slice);
  }
}

static void fork_late(void) {
  char *memory = anonymous(SIZE, after ? MAP_SHARED : MAP_PRIVATE);
  touch(memory, SIZE);
  pid_t child = fork();
  if (!child) {
    for (long i = 0; i < SIZE; i += PAGE)
      memory[i] = 2; /* fork */
    _exit(0);
  }
  waitpid(child, 0, 0);
}

/* What the other side is to see, written by the process that forked. */
static void fork_parent(void) {
  int pipes[2];
  char *memory = anonymous(SIZE, after ? MAP_SHARED : MAP_PRIVATE);
  must(pipe(pipes) == 0, "pipe");
  touch(memory, SIZE);
  pid_t child = fork();
  if (!child) {
    close(pipes[1]);
    _exit(read(pipes[0], buffer, 1) != 0);
  }
  for (long i = 0; i < SIZE; i += PAGE)
    memory[i] = 2; /* parent */
  close(pipes[1]);
  waitpid(child, 0, 0);
}

/* Twice: one mapping's faults may be just too few to speak of. */
static void mapped(void) {
  int file = opened("pages", O_RDWR | O_CREAT | O_TRUNC);
  volatile long sum = 0;
  /* Page by page, as small writers leave it: of large folios a fault maps more. */
  for (long i = 0; i < SIZE; i += PAGE)
    must(write(file, buffer, PAGE) == PAGE, "write");
  for (int round = 0; round < 2; round++) {
    char *memory = mmap(0, SIZE, PROT_READ, MAP_SHARED | (after ? MAP_POPULATE : 0), file, 0);
    must(memory != MAP_FAILED, "mmap");
    for (long i = 0; i < SIZE; i += PAGE)
      sum += memory[i]; /* mapped */
    munmap(memory, SIZE);
  }
}

static void by_hand(int from, int to) {
  for (long n; (n = read(from, buffer, CHUNK)) > 0;)
    must(write(to, buffer, n) == n, "write"); /* by hand */
}

static void copy(const char *path, int flags) {
  int from = opened("input", O_RDONLY), tried = 0;
  int to = opened(path, O_WRONLY | O_CREAT | O_TRUNC | (after ? 0 : flags));
  int elsewhere = !strncmp(path, "/dev/shm", 8);
  for (long left = SIZE; left > 0;) {
    long n = after && elsewhere ? sendfile(to, from, 0, left) : -1;
    if ((after && !elsewhere) || ((elsewhere || flags) && !tried++ && !after))
      n = copy_file_range(from, 0, to, 0, left, 0);
    if (n <= 0)
      break;
    left -= n;
  }
  by_hand(from, to);
  if (elsewhere)
    unlink(path);
}

/* ext4 copies direct I/O where it is mounted with data=journal: there before, elsewhere after. */
static void direct(void) {
  int file = opened("journaled", O_RDWR | O_CREAT | O_TRUNC);
  for (int i = 0; i < SIZE; i += CHUNK)
    must(write(file, buffer, CHUNK) == CHUNK, "write");
  /* Not from memory, nor read ahead: what is there is copied without a trace at level T. */
  fsync(file);
  syncfs(file);
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  close(file);
  file = opened("journaled", O_RDONLY | O_DIRECT);
  posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
  while (read(file, buffer, CHUNK) > 0) /* direct */
    ;
}

int main(int argc, char **argv) {
  const char *what = argv[1];
  must(argc == 4 && chdir(argv[3]) == 0, "pairs WHAT before|after DIR");
  after = !strcmp(argv[2], "after");
  buffer = aligned_alloc(PAGE, CHUNK);
  memset(buffer, 1, CHUNK);
  if (!strcmp(what, "serve")) serve(0);
  else if (!strcmp(what, "check")) serve(1);
  else if (!strcmp(what, "requests")) requests();
  else if (!strcmp(what, "piped")) piped();
  else if (!strcmp(what, "relay")) relay();
  else if (!strcmp(what, "pieces")) pieces(0);
  else if (!strcmp(what, "sent")) pieces(1);
  else if (!strcmp(what, "reopened")) reopened();
  else if (!strcmp(what, "scattered")) scattered();
  else if (!strcmp(what, "flag")) sync_flag();
  else if (!strcmp(what, "parent")) fork_parent();
  else if (!strcmp(what, "bytes")) bytes();
  else if (!strcmp(what, "again")) again();
  else if (!strcmp(what, "sync")) sync_each();
  else if (!strcmp(what, "storm")) storm();
  else if (!strcmp(what, "slices")) slices();
  else if (!strcmp(what, "fork")) fork_late();
  else if (!strcmp(what, "mapped")) mapped();
  else if (!strcmp(what, "copy")) copy("copy", 0);
  else if (!strcmp(what, "elsewhere")) copy("/dev/shm/bytehop-pairs", 0);
  else if (!strcmp(what, "append")) copy("copy", O_APPEND);
  else if (!strcmp(what, "direct")) direct();
  else return 2;
  return 0;
}
