// Sends bytes to a server beyond a network card.
#include <stdlib.h>
#include <string.h>

#include "support.h"

int main(int argc, char *argv[]) {
    arguments(argc, 3);
    int socket = tcp_to_server(argv[1], number(argv[2]));
    size_t size = number(argv[3]);
    char *data = malloc(size);
    memset(data, 'x', size);

    write_all(socket, data, size); // into the socket; the card comes later

    wait_until_taken(socket); // until the server has all of it
    return 0;
}
