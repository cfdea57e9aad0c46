/* The floor: what sockets alone cost. Connects, sends prepared requests one after the other, reads each answer to its
 * end, closes; nothing is parsed but where an answer ends. One thread, epoll.
 *
 *     floor FILE AT_ONCE
 *
 * FILE holds runs, one after the other: a line "ADDRESS PORT COUNT LENGTH...\n" and then COUNT requests of those
 * LENGTHs. Prints: runs, failed runs, microseconds of processor time, bytes received.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <signal.h>
#ifdef __x86_64__
#pragma pack(push, 1) /* epoll_event is packed there, which the system's headers say to gcc alone */
#include <sys/epoll.h>
#pragma pack(pop)
#else
#include <sys/epoll.h>
#endif

#define MOST_REQUESTS 4
#define HEAD_LIMIT 65536

struct run {
    struct sockaddr_in address;
    int count;
    const char *request[MOST_REQUESTS];
    size_t length[MOST_REQUESTS];
};

struct slot {
    int fd;
    struct run *run;
    int sent;         /* requests sent so far */
    size_t head;      /* bytes of head held */
    long body_left;   /* bytes of body to come, -1: the head is not whole yet */
    char buffer[HEAD_LIMIT];
};

static struct run *runs;
static size_t total, next_run, done, failed;
static long long received;
static int poller;

static void load(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) { perror(path); exit(1); }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc(size + 1);
    if (!text || fread(text, 1, size, file) != (size_t)size) { perror(path); exit(1); }
    text[size] = 0;
    fclose(file);
    size_t room = 1024;
    runs = malloc(room * sizeof *runs);
    for (char *at = text, *end = text + size; at < end;) {
        if (total == room) runs = realloc(runs, (room *= 2) * sizeof *runs);
        struct run *run = &runs[total++];
        char address[64];
        int port, used;
        memset(run, 0, sizeof *run);
        if (sscanf(at, "%63s %d %d%n", address, &port, &run->count, &used) != 3 || run->count > MOST_REQUESTS) exit(2);
        at += used;
        for (int i = 0; i < run->count; i++) {
            if (sscanf(at, "%zu%n", &run->length[i], &used) != 1) exit(2);
            at += used;
        }
        at++; /* the end of the line */
        for (int i = 0; i < run->count; i++) { run->request[i] = at; at += run->length[i]; }
        run->address.sin_family = AF_INET;
        run->address.sin_port = htons(port);
        if (inet_pton(AF_INET, address, &run->address.sin_addr) != 1) exit(2);
    }
}

static int begin(struct slot *slot) {
    if (next_run == total) return 0;
    slot->run = &runs[next_run++];
    slot->sent = 0;
    slot->head = 0;
    slot->body_left = -1;
    slot->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (slot->fd < 0) { perror("socket"); exit(1); }
    int on = 1;
    setsockopt(slot->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(slot->fd, (struct sockaddr *)&slot->run->address, sizeof slot->run->address) && errno != EINPROGRESS) {
        perror("connect");
        exit(1);
    }
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = slot};
    epoll_ctl(poller, EPOLL_CTL_ADD, slot->fd, &event);
    return 1;
}

static void end(struct slot *slot, int good) {
    close(slot->fd);
    done++;
    failed += !good;
    begin(slot);
}

static void ask(struct slot *slot) {
    int i = slot->sent++;
    slot->head = 0;
    slot->body_left = -1;
    if (write(slot->fd, slot->run->request[i], slot->run->length[i]) != (ssize_t)slot->run->length[i]) end(slot, 0);
}

/* Whether the answer is whole after these bytes. */
static int whole(struct slot *slot, ssize_t got) {
    if (slot->body_left < 0) {
        slot->head += got;
        slot->buffer[slot->head] = 0;
        char *stop = strstr(slot->buffer, "\r\n\r\n");
        if (!stop) return 0;
        char *length = strcasestr(slot->buffer, "\r\ncontent-length:");
        long body = length && length < stop ? atol(length + 17) : 0;
        slot->body_left = body - (slot->buffer + slot->head - stop - 4);
    } else {
        slot->body_left -= got;
    }
    return slot->body_left <= 0;
}

static void hear(struct slot *slot) {
    for (;;) {
        char *into = slot->body_left < 0 ? slot->buffer + slot->head : slot->buffer;
        size_t room = slot->body_left < 0 ? HEAD_LIMIT - 1 - slot->head : HEAD_LIMIT - 1;
        ssize_t got = read(slot->fd, into, room);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) { end(slot, 0); return; }
        received += got;
        if (!whole(slot, got)) continue;
        if (slot->sent < slot->run->count) ask(slot);
        else end(slot, 1);
        return;
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    load(argv[1]);
    int at_once = atoi(argv[2]);
    poller = epoll_create1(0);
    struct slot *slots = calloc(at_once, sizeof *slots);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < at_once; i++) begin(&slots[i]);
    struct epoll_event events[256];
    while (done < total) {
        int count = epoll_wait(poller, events, 256, 10000);
        if (count <= 0) { fprintf(stderr, "nothing came for ten seconds\n"); return 1; }
        for (int i = 0; i < count; i++) {
            struct slot *slot = events[i].data.ptr;
            if (!slot->sent) {
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
                int error = 0;
                socklen_t size = sizeof error;
                getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &size);
                if (error) { end(slot, 0); continue; }
                epoll_ctl(poller, EPOLL_CTL_MOD, slot->fd, &event);
                ask(slot);
            } else {
                hear(slot);
            }
        }
    }
    getrusage(RUSAGE_SELF, &after);
    long long used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec)
                         * 1000000LL
                     + after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    printf("%zu %zu %lld %lld\n", total, failed, used, received);
    return 0;
}
