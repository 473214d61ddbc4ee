/* Programs with something to improve, and the same programs with it improved: pairs WHAT before|after DIR.
   DIR holds `input` of 4 MiB. Status 77: the improvement is not possible here. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
  char *memory = anonymous(size + huge, MAP_PRIVATE);
  memory = (char *)(((unsigned long)memory + huge - 1) & -huge);
  madvise(memory, size, after ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
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

/* Twice: one mapping's faults may be just too few to speak of. */
static void mapped(void) {
  int file = opened("input", O_RDONLY);
  volatile long sum = 0;
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

/* ext4 copies direct I/O to files whose data is journaled. */
static void direct(void) {
  int flags = 0, file = opened("journaled", O_RDWR | O_CREAT | O_TRUNC);
  if (ioctl(file, FS_IOC_GETFLAGS, &flags) != 0)
    exit(77);
  flags = after ? flags & ~FS_JOURNAL_DATA_FL : flags | FS_JOURNAL_DATA_FL;
  if (ioctl(file, FS_IOC_SETFLAGS, &flags) != 0)
    exit(77);
  for (int i = 0; i < SIZE; i += CHUNK)
    must(write(file, buffer, CHUNK) == CHUNK, "write");
  fsync(file);
  close(file);
  file = opened("journaled", O_RDONLY | O_DIRECT);
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
  else if (!strcmp(what, "relay")) relay();
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
