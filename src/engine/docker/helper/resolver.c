/*
 * The resolver on 127.0.0.1:53, UDP and TCP: names of ours are answered here, every other query goes to the servers that the
 * engine gave the container.
 */
#include "helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define MOST_SERVERS 3
#define MOST_PENDING 64
#define SERVER_FAILURE 2
/* The next server is asked after this time; glibc itself gives up after five seconds. */
#define PATIENCE_MS 1500
#define TCP_SECONDS 10
/* More than the holder ever has open. */
#define MOST_FILES 2048

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static union address servers[MOST_SERVERS];
static int server_count;
static int udp = -1, tcp = -1;

/* A query that was passed on. Each has a socket of its own, connected, so that only the server's reply is taken. */
static struct pending {
  int fd, server, length;
  long due;
  struct sockaddr_in client;
  uint8_t query[DNS_LARGEST];
} pending[MOST_PENDING];

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static socklen_t size_of(const union address *address) {
  return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

static void add_server(const char *text) {
  union address address = {0};
  if (server_count == MOST_SERVERS) return;
  if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
    if (address.v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK)) return; /* that is us */
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(53);
  } else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(53);
  } else return;
  servers[server_count++] = address;
}

/* In place: the file is a mount, and every container of this namespace has the same. */
int resolver_take_over(const char *search) {
  char line[1024], word[256], more[1024] = "";
  FILE *file = fopen(RESOLV_CONF, "r");
  if (file) {
    while (fgets(line, sizeof line, file)) {
      line[strcspn(line, "\n")] = 0;
      if (sscanf(line, "nameserver %255s", word) == 1) add_server(word);
      else if (!strncmp(line, "search ", 7)) snprintf(more, sizeof more, "%s", line + 6);
    }
    fclose(file);
  }
  file = fopen(RESOLV_CONF, "w");
  if (!file) return -1;
  /* Kubernetes' own: with ndots:5 short names are looked up in the cluster first. */
  fprintf(file, "nameserver 127.0.0.1\nsearch %s%s\noptions ndots:5\n", search, more);
  return fclose(file);
}

static int bind_here(int type) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  return bind(fd, (struct sockaddr *)&here, sizeof here) ? -1 : fd;
}

int resolver_listen(void) {
  for (int i = 0; i < MOST_PENDING; i++) pending[i].fd = -1;
  udp = bind_here(SOCK_DGRAM);
  tcp = bind_here(SOCK_STREAM);
  return udp < 0 || tcp < 0 || listen(tcp, 16) ? -1 : 0;
}

static void reply_to(const struct sockaddr_in *client, const uint8_t *reply, int length) {
  if (length > 0) sendto(udp, reply, (size_t)length, 0, (const struct sockaddr *)client, sizeof *client);
}

static void forget(struct pending *query) {
  if (query->fd >= 0) close(query->fd);
  query->fd = -1;
}

/* To the next server that takes it; with none left the client is told so. */
static void pass_on(struct pending *query) {
  forget(query);
  for (; query->server < server_count; query->server++) {
    const union address *to = &servers[query->server];
    int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) continue;
    if (!connect(fd, &to->any, size_of(to)) && send(fd, query->query, (size_t)query->length, 0) == query->length) {
      query->server++;
      query->fd = fd;
      query->due = now_ms() + PATIENCE_MS;
      return;
    }
    close(fd);
  }
  uint8_t reply[DNS_LARGEST];
  reply_to(&query->client, reply, dns_refuse(query->query, query->length, reply, SERVER_FAILURE));
}

/* One query. The client repeats what finds no place. */
static void take_query(void) {
  uint8_t query[DNS_LARGEST], reply[DNS_LARGEST];
  struct sockaddr_in client;
  socklen_t size = sizeof client;
  int length = (int)recvfrom(udp, query, sizeof query, 0, (struct sockaddr *)&client, &size);
  if (length <= 0) return;
  int answer = dns_answer(query, length, reply);
  if (answer != 0) {
    reply_to(&client, reply, answer);
    return;
  }
  for (struct pending *free = pending; free < pending + MOST_PENDING; free++) {
    if (free->fd >= 0) continue;
    memcpy(free->query, query, (size_t)length);
    free->length = length;
    free->client = client;
    free->server = 0;
    pass_on(free);
    return;
  }
}

static void take_reply(struct pending *query) {
  uint8_t reply[DNS_LARGEST];
  int length = (int)recv(query->fd, reply, sizeof reply, 0);
  /* An error here is the server's port being closed. */
  if (length < 12) {
    pass_on(query);
    return;
  }
  reply_to(&query->client, reply, length);
  forget(query);
}

static int read_all(int fd, uint8_t *to, int length) {
  for (int have = 0, got; have < length; have += got)
    if ((got = (int)read(fd, to + have, (size_t)(length - have))) <= 0) return -1;
  return 0;
}

/* Over TCP a message has its length before it. */
static int read_message(int fd, uint8_t *message) {
  uint8_t size[2];
  if (read_all(fd, size, 2)) return -1;
  int length = size[0] << 8 | size[1];
  return read_all(fd, message, length) ? -1 : length;
}

static int write_message(int fd, const uint8_t *message, int length) {
  uint8_t size[2] = {(uint8_t)(length >> 8), (uint8_t)length};
  return write(fd, size, 2) == 2 && write(fd, message, (size_t)length) == length ? 0 : -1;
}

/* A client that uses TCP (its UDP reply was cut) is served by a process of its own, which may block. */
static void serve_tcp(int client) {
  static uint8_t query[UINT16_MAX], reply[UINT16_MAX];
  int length, server = -1;
  while ((length = read_message(client, query)) > 0) {
    int answer = dns_answer(query, length, reply);
    for (int i = 0; answer == 0 && server < 0 && i < server_count; i++) {
      server = socket(servers[i].any.sa_family, SOCK_STREAM, 0);
      if (connect(server, &servers[i].any, size_of(&servers[i])) == 0) break;
      close(server);
      server = -1;
    }
    if (answer == 0 && server >= 0 && !write_message(server, query, length)) answer = read_message(server, reply);
    if (answer <= 0 || write_message(client, reply, answer)) return;
  }
}

static void take_tcp(void) {
  int client = accept(tcp, NULL, NULL);
  if (client < 0) return;
  if (fork() == 0) {
    fcntl(client, F_SETFL, 0);
    signal(SIGALRM, SIG_DFL);
    alarm(TCP_SECONDS);
    /* Connections of the holder's end when it closes them, whatever is copied into this process. */
    for (int fd = 0; fd < MOST_FILES; fd++)
      if (fd != client) close(fd);
    serve_tcp(client);
    _exit(0);
  }
  close(client);
}

int resolver_polls(struct pollfd *into) {
  if (udp < 0) return 0;
  int count = 0;
  into[count++] = (struct pollfd){udp, POLLIN, 0};
  into[count++] = (struct pollfd){tcp, POLLIN, 0};
  for (int i = 0; i < MOST_PENDING; i++)
    if (pending[i].fd >= 0) into[count++] = (struct pollfd){pending[i].fd, POLLIN, 0};
  return count;
}

void resolver_ready(const struct pollfd *polls, int count) {
  for (int i = 2; i < count; i++) {
    if (!polls[i].revents) continue;
    for (int j = 0; j < MOST_PENDING; j++)
      if (pending[j].fd == polls[i].fd) {
        take_reply(&pending[j]);
        break;
      }
  }
  if (count > 0 && polls[0].revents) take_query();
  if (count > 1 && polls[1].revents) take_tcp();
}

int resolver_tick(void) {
  long now = now_ms(), next = -1;
  for (int i = 0; udp >= 0 && i < MOST_PENDING; i++) {
    if (pending[i].fd >= 0 && pending[i].due <= now) pass_on(&pending[i]);
    if (pending[i].fd >= 0 && (next < 0 || pending[i].due - now < next)) next = pending[i].due - now;
  }
  return (int)next;
}
