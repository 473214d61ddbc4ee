// Children, pipes and sockets, and a small web server. See support.h.
#define _GNU_SOURCE
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUFFER (64 * 1024)

void wait_for(pid_t child) {
    int status;
    check(waitpid(child, &status, 0), "waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "the child failed\n");
        exit(1);
    }
}

static void print_received(size_t bytes, const struct checksum *checksum) {
    printf("received %zu bytes, ", bytes);
    checksum_print(checksum, "checksum ");
}

static void receive_to_the_end(int from) {
    unsigned char *buffer = malloc(BUFFER);
    struct checksum checksum = {0};
    size_t bytes = 0, n;
    while ((n = check(read(from, buffer, BUFFER), "read")) > 0) {
        bytes += n;
        checksum_add(&checksum, buffer, n);
    }
    print_received(bytes, &checksum);
}

pid_t reader(int from, int ours) {
    pid_t child = check(fork(), "fork");
    if (child == 0) {
        close(ours);
        receive_to_the_end(from);
        exit(0);
    }
    close(from);
    return child;
}

// A socket that listens on the loopback device, and its address.
static int listener(struct sockaddr_in *address) {
    int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    *address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof *address;
    check(bind(fd, (struct sockaddr *)address, size), "bind");
    check(listen(fd, 8), "listen");
    // The kernel chose the port.
    check(getsockname(fd, (struct sockaddr *)address, &size), "getsockname");
    return fd;
}

static int connected(const struct sockaddr_in *address) {
    int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(connect(fd, (const struct sockaddr *)address, sizeof *address),
          "connect");
    return fd;
}

int tcp_to_server(const char *address, unsigned short port) {
    struct sockaddr_in server = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
    };
    if (inet_pton(AF_INET, address, &server.sin_addr) != 1) {
        fprintf(stderr, "not an IPv4 address: %s\n", address);
        exit(1);
    }
    return connected(&server);
}

void wait_until_taken(int socket) {
    int left;
    while (check(ioctl(socket, SIOCOUTQ, &left), "ioctl"), left > 0)
        usleep(1000);
}

static void no_delay(int fd) {
    int on = 1;
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on),
          "setsockopt");
}

// A connection to a child that takes what comes in this way.
static int tcp_to(pid_t *child, void (*take)(int from)) {
    struct sockaddr_in address;
    int listening = listener(&address);
    *child = check(fork(), "fork");
    if (*child == 0) {
        take(connected(&address));
        exit(0);
    }
    int fd = check(accept(listening, NULL, NULL), "accept");
    close(listening);
    return fd;
}

int tcp_to_reader(pid_t *child) {
    return tcp_to(child, receive_to_the_end);
}

int unix_to_reader(pid_t *child) {
    int ends[2];
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
          "socketpair");
    *child = reader(ends[1], ends[0]);
    return ends[0];
}

int pipe_to_reader(pid_t *child) {
    int ends[2];
    check(pipe2(ends, O_CLOEXEC), "pipe");
    *child = reader(ends[0], ends[1]);
    return ends[1];
}

static void connect_pair(int ends[2]) {
    struct sockaddr_in address;
    int listening = listener(&address);
    ends[0] = connected(&address);
    ends[1] = check(accept(listening, NULL, NULL), "accept");
    close(listening);
}

void tcp_pair(int ends[2]) {
    connect_pair(ends);
    no_delay(ends[0]);
}

void discard(int socket, size_t n) {
    while (n > 0) {
        // With MSG_TRUNC, TCP drops the bytes and writes nothing (tcp(7)).
        size_t dropped = check(recv(socket, NULL, n, MSG_TRUNC), "recv");
        if (dropped == 0)
            exit(1);
        n -= dropped;
    }
}

// --- Encryption ---

void encrypt(struct cipher *cipher, unsigned char *to,
             const unsigned char *from, size_t n) {
    for (size_t i = 0; i < n; i++, cipher->at++) {
        if (cipher->at % 8 == 0) {
            // The finishing step of the generator SplitMix64.
            uint64_t z = 0x62797465686f7021 + cipher->at / 8;
            z *= 0x9e3779b97f4a7c15;
            z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
            z = (z ^ z >> 27) * 0x94d049bb133111eb;
            cipher->word = z ^ z >> 31;
        }
        to[i] = from[i] ^ (unsigned char)(cipher->word >> cipher->at % 8 * 8);
    }
}

static void decrypt_to_the_end(int from) {
    unsigned char *buffer = malloc(BUFFER);
    struct checksum came = {0}, checksum = {0};
    struct cipher cipher = {0};
    size_t bytes = 0, n;
    while ((n = check(read(from, buffer, BUFFER), "read")) > 0) {
        bytes += n;
        checksum_add(&came, buffer, n);
        encrypt(&cipher, buffer, buffer, n);
        checksum_add(&checksum, buffer, n);
    }
    print_received(bytes, &checksum);
    checksum_print(&came, "on the way, checksum ");
}

int tcp_to_decrypter(pid_t *child) {
    return tcp_to(child, decrypt_to_the_end);
}

// Hands one direction of a connection to the kernel's TLS. A library does
// that after the handshake, with the keys that the two ends agreed upon.
static void in_kernel(int socket, int direction) {
    int result = setsockopt(socket, IPPROTO_TCP, TCP_ULP, "tls", 3);
    if (result < 0 &&
        (errno == ENOENT || errno == ENOPROTOOPT || errno == EOPNOTSUPP))
        unavailable("this kernel has no TLS (its module `tls` is not loaded)");
    check(result, "setsockopt");
    struct tls12_crypto_info_aes_gcm_128 keys = {
        .info.version = TLS_1_2_VERSION,
        .info.cipher_type = TLS_CIPHER_AES_GCM_128,
    };
    memcpy(keys.iv, "a  test ", sizeof keys.iv);
    memcpy(keys.key, "key, not secret!", sizeof keys.key);
    memcpy(keys.salt, "salt", sizeof keys.salt);
    check(setsockopt(socket, SOL_TLS, direction, &keys, sizeof keys),
          "setsockopt");
}

int ktls_to_reader(pid_t *child) {
    int ends[2];
    connect_pair(ends);
    in_kernel(ends[1], TLS_TX);
    in_kernel(ends[0], TLS_RX);
    *child = reader(ends[0], ends[1]);
    return ends[1];
}

// --- A web server and its client ---

// The path in a request, in `buffer`; NULL when the client has gone.
static char *request(int client, char *buffer, size_t size) {
    // A request of ours comes in one piece, and nothing follows it before
    // the answer.
    size_t n = check(read(client, buffer, size - 1), "read");
    buffer[n] = '\0';
    char *path = strchr(buffer, ' ');
    if (path == NULL)
        return NULL;
    path++;
    path[strcspn(path, " ")] = '\0';
    return path;
}

static void get_all(const struct sockaddr_in *address, char *const files[],
                    int count, size_t times) {
    int server = connected(address);
    no_delay(server);
    FILE *answers = fdopen(server, "r");
    unsigned char *buffer = malloc(BUFFER);
    struct checksum checksum = {0};
    size_t bytes = 0;
    for (size_t round = 0; round < times; round++) {
        for (int i = 0; i < count; i++) {
            char text[1024];
            int length = snprintf(text, sizeof text,
                                  "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                  files[i]);
            write_all(server, text, length);
            // The head of the answer: how long is its body?
            size_t left = 0;
            while (fgets(text, sizeof text, answers) != NULL &&
                   strcmp(text, "\r\n") != 0)
                sscanf(text, "Content-Length: %zu", &left);
            bytes += left;
            while (left > 0) {
                size_t n = left < BUFFER ? left : BUFFER;
                n = fread(buffer, 1, n, answers);
                if (n == 0)
                    exit(1);
                checksum_add(&checksum, buffer, n);
                left -= n;
            }
        }
    }
    print_received(bytes, &checksum);
}

void serve(char *const files[], int count, size_t times,
           void (*answer)(int client, int file)) {
    struct sockaddr_in address;
    int listening = listener(&address);
    pid_t load = check(fork(), "fork");
    if (load == 0) {
        get_all(&address, files, count, times);
        exit(0);
    }
    int client = check(accept(listening, NULL, NULL), "accept");
    no_delay(client);
    char buffer[1024], *path;
    while ((path = request(client, buffer, sizeof buffer)) != NULL) {
        int file = check(open(path, O_RDONLY), path);
        char head[128];
        int length = snprintf(head, sizeof head,
                              "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                              size_of(file));
        write_all(client, head, length);
        answer(client, file);
        close(file);
    }
    wait_for(load);
}

// --- MSG_ZEROCOPY ---

void zerocopy_enable(int socket) {
    int on = 1;
    int result = setsockopt(socket, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on);
    if (result < 0 && (errno == ENOPROTOOPT || errno == EOPNOTSUPP))
        unavailable("MSG_ZEROCOPY is not available here");
    check(result, "setsockopt");
}

size_t zerocopy_notification(int socket, bool *copied) {
    for (;;) {
        char space[256];
        struct msghdr message = {
            .msg_control = space,
            .msg_controllen = sizeof space,
        };
        int flags = MSG_ERRQUEUE | MSG_DONTWAIT;
        if (recvmsg(socket, &message, flags) >= 0) {
            struct cmsghdr *part = CMSG_FIRSTHDR(&message);
            struct sock_extended_err error;
            if (part == NULL)
                continue;
            memcpy(&error, CMSG_DATA(part), sizeof error);
            if (error.ee_origin != SO_EE_ORIGIN_ZEROCOPY) {
                fprintf(stderr, "an unexpected message\n");
                exit(1);
            }
            if (copied != NULL)
                *copied = (error.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0;
            // Sends are numbered; one notification may be for a whole range.
            return error.ee_data - error.ee_info + 1;
        }
        check(errno == EAGAIN ? 0 : -1, "recvmsg");
        // What is in the error queue makes poll() return without being
        // asked for.
        struct pollfd watched = {.fd = socket};
        check(poll(&watched, 1, -1), "poll");
    }
}
