/* Linked to a program: its file is gone while it runs. */
#include <unistd.h>
__attribute__((constructor)) static void gone(int argc, char **argv) {
  (void)argc;
  unlink(argv[0]);
  usleep(300000);
}
