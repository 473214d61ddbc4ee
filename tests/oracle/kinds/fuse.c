// A file system of one file, /f, of 1 MiB. Arguments: where to mount it, and "direct" for FOPEN_DIRECT_IO.
// Says "ready" once it is mounted, and once it is unmounted how many bytes it answered reads with, and how many it was
// given to write.
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SIZE = 1 << 20, ROOT = 1, FILE_ID = 2 };

static char request[SIZE], data[SIZE];
static int device;

static void answer(struct fuse_in_header *to, int error, void *body, size_t length) {
  struct fuse_out_header head = {sizeof head + length, -error, to->unique};
  struct iovec parts[2] = {{&head, sizeof head}, {body, length}};
  if (writev(device, parts, length ? 2 : 1) < 0 && errno != ENOENT) perror("answer");
}

static struct fuse_attr attributes(uint64_t id) {
  struct fuse_attr a = {.ino = id, .nlink = 1, .blksize = 4096};
  a.mode = id == ROOT ? 040755 : 0100666;
  a.size = id == ROOT ? 0 : SIZE;
  return a;
}

int main(int count, char **words) {
  int direct = count > 2 && !strcmp(words[2], "direct");
  char options[80];
  long answered = 0, written = 0;
  device = open("/dev/fuse", O_RDWR);
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
  if (device < 0 || mount("fuse", words[1], "fuse", 0, options) < 0) {
    perror("mount");
    return 77;
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    ssize_t length = read(device, request, sizeof request);
    if (length < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
    if (length < 0) break;
    struct fuse_in_header *in = (void *)request;
    void *body = in + 1;
    if (in->opcode == FUSE_INIT) {
      struct fuse_init_out out = {.major = 7, .minor = 31, .max_write = 1 << 17, .max_readahead = 1 << 17};
      answer(in, 0, &out, sizeof out);
    } else if (in->opcode == FUSE_LOOKUP) {
      struct fuse_entry_out out = {.nodeid = FILE_ID, .attr = attributes(FILE_ID)};
      answer(in, strcmp(body, "f") ? ENOENT : 0, &out, strcmp(body, "f") ? 0 : sizeof out);
    } else if (in->opcode == FUSE_GETATTR || in->opcode == FUSE_SETATTR) {
      struct fuse_attr_out out = {.attr = attributes(in->nodeid)};
      answer(in, 0, &out, sizeof out);
    } else if (in->opcode == FUSE_OPEN) {
      struct fuse_open_out out = {.open_flags = direct ? FOPEN_DIRECT_IO : 0};
      answer(in, 0, &out, sizeof out);
    } else if (in->opcode == FUSE_READ) {
      struct fuse_read_in *what = body;
      size_t left = what->offset < SIZE ? SIZE - what->offset : 0;
      if (what->size < left) left = what->size;
      answered += left;
      answer(in, 0, data + what->offset % SIZE, left);
    } else if (in->opcode == FUSE_WRITE) {
      struct fuse_write_in *what = body;
      struct fuse_write_out out = {.size = what->size};
      written += what->size;
      answer(in, 0, &out, sizeof out);
    } else if (in->opcode == FUSE_FLUSH || in->opcode == FUSE_RELEASE || in->opcode == FUSE_FSYNC) {
      answer(in, 0, 0, 0);
    } else if (in->opcode != FUSE_FORGET && in->opcode != FUSE_BATCH_FORGET && in->opcode != FUSE_INTERRUPT) {
      answer(in, ENOSYS, 0, 0);
    }
  }
  printf("%ld %ld\n", answered, written);
  return 0;
}
