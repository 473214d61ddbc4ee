// Asks for memory, and does not touch it.
#include <stdlib.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 1);
    // from here on it is ours; "volatile", or the compiler would see that
    // nobody needs it
    char *volatile memory = malloc(number(argv[1]));
    return memory == NULL;
}
