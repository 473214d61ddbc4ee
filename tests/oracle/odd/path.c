// Opens a path that is as long as one may be (4,096 bytes with its end), and one with a line feed and an escape.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    static char path[4096];
    const char *end = "etc/passwd";
    memset(path, '/', sizeof path - 1);
    strcpy(path + sizeof path - 1 - strlen(end), end);
    int longest = open(path, O_RDONLY);
    int none = open("/no\n\033[31mnone", O_RDONLY);
    printf("%d %d %d\n", (int)strlen(path), longest >= 0, none);
    return 0;
}
