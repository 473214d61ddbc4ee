// Cheats: gives the file a second name. A change to one "copy" would be
// a change to both.
#include <unistd.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 2);
    check(link(argv[1], argv[2]), argv[2]);
    return 0;
}
