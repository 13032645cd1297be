/*
 * The holder owns the network namespace that an instance's containers share, and is kserve-local's hand inside it. It speaks
 * over its own stdin and stdout, so that it needs nothing of the host and nothing of the network. See README.md for the
 * frames and the options.
 *
 * Writing to stdout may block: kserve-local reads it always, and never waits for us while it does. What a connection may have
 * under way is bounded by credit in both directions.
 */
#include "helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OPEN = 1, OPENED, DATA, END, RESET, CREDIT, HELLO, CALL, REPLY };
#define HEADER 8
#define LARGEST_PAYLOAD 32768
#define WINDOW 65536
#define CREDIT_STEP 16384
#define MOST_STREAMS 1024
#define MOST_LISTENERS 16
/* Above the range from which the kernel takes the ports of outgoing connections, and above what servers use. */
#define FIRST_PROOF_PORT 61391
#define LAST_PROOF_PORT 61999

static struct stream {
  int fd; /* -1: free */
  uint32_t id;
  int connecting, read_ended, write_ended, shut;
  uint32_t credit; /* bytes that we may send */
  uint32_t owed;   /* bytes that were passed on, and for which the other side has no credit yet */
  uint8_t *pending; /* a ring of WINDOW bytes, for the socket */
  uint32_t start, length;
} streams[MOST_STREAMS];
static int stream_count;

static struct {
  int fd;
  struct sockaddr_in address;
} listeners[MOST_LISTENERS];
static int listener_count;

static int proof = -1;
static char nonce[128];

static noreturn void quit(const char *why) {
  fprintf(stderr, "kserve-local holder: %s: %s\n", why, strerror(errno));
  exit(1);
}

static void store32(uint8_t *to, uint32_t value) {
  value = htonl(value);
  memcpy(to, &value, 4);
}

static uint32_t load32(const uint8_t *from) {
  uint32_t value;
  memcpy(&value, from, 4);
  return ntohl(value);
}

/* ---- frames: type, 0, length (16 bits), stream (32 bits), payload ---- */

static void send_frame(uint8_t type, uint32_t id, const void *payload, size_t length) {
  static uint8_t frame[HEADER + LARGEST_PAYLOAD];
  frame[0] = type;
  frame[1] = 0;
  frame[2] = (uint8_t)(length >> 8);
  frame[3] = (uint8_t)length;
  store32(frame + 4, id);
  if (length) memcpy(frame + HEADER, payload, length);
  for (size_t sent = 0; sent < HEADER + length;) {
    ssize_t written = write(1, frame + sent, HEADER + length - sent);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) exit(0);
    sent += (size_t)written;
  }
}

static void send_text(uint8_t type, uint32_t id, const char *text) {
  size_t length = strlen(text);
  send_frame(type, id, text, length > LARGEST_PAYLOAD ? LARGEST_PAYLOAD : length);
}

static void send_number(uint8_t type, uint32_t id, uint32_t number) {
  uint8_t payload[4];
  store32(payload, number);
  send_frame(type, id, payload, sizeof payload);
}

/* ---- streams ---- */

static struct stream *find(uint32_t id) {
  for (int i = 0; i < MOST_STREAMS; i++)
    if (streams[i].fd >= 0 && streams[i].id == id) return &streams[i];
  return NULL;
}

/* NULL where all places are taken. */
static struct stream *add(int fd, uint32_t id) {
  for (int i = 0; i < MOST_STREAMS; i++) {
    if (streams[i].fd >= 0) continue;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    streams[i] = (struct stream){.fd = fd, .id = id, .credit = WINDOW};
    stream_count++;
    return &streams[i];
  }
  return NULL;
}

static void drop(struct stream *stream) {
  close(stream->fd);
  free(stream->pending);
  stream->pending = NULL;
  stream->fd = -1;
  stream_count--;
}

/* Whoever is at the other end of the socket is to see that this was no ordinary end. */
static void abort_stream(struct stream *stream) {
  struct linger at_once = {1, 0};
  setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  drop(stream);
}

static void reset(struct stream *stream, int error) {
  send_number(RESET, stream->id, (uint32_t)error);
  drop(stream);
}

static void drop_if_over(struct stream *stream) {
  if (stream->read_ended && stream->shut) drop(stream);
}

/* From the socket, as much as there is credit for. */
static void take_from_socket(struct stream *stream) {
  uint8_t data[LARGEST_PAYLOAD];
  size_t most = stream->credit < sizeof data ? stream->credit : sizeof data;
  ssize_t got = recv(stream->fd, data, most, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) {
    reset(stream, errno);
    return;
  }
  if (got > 0) {
    stream->credit -= (uint32_t)got;
    send_frame(DATA, stream->id, data, (size_t)got);
    return;
  }
  stream->read_ended = 1;
  send_frame(END, stream->id, NULL, 0);
  drop_if_over(stream);
}

/* To the socket, as much as it takes. */
static void give_to_socket(struct stream *stream) {
  while (stream->length > 0) {
    uint32_t part = WINDOW - stream->start < stream->length ? WINDOW - stream->start : stream->length;
    ssize_t given = send(stream->fd, stream->pending + stream->start, part, MSG_NOSIGNAL);
    if (given < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (given < 0) {
      reset(stream, errno);
      return;
    }
    stream->start = (stream->start + (uint32_t)given) % WINDOW;
    stream->length -= (uint32_t)given;
    stream->owed += (uint32_t)given;
  }
  if (stream->owed >= CREDIT_STEP) {
    send_number(CREDIT, stream->id, stream->owed);
    stream->owed = 0;
  }
  if (stream->length == 0 && stream->write_ended && !stream->shut) {
    stream->shut = 1;
    shutdown(stream->fd, SHUT_WR);
    drop_if_over(stream);
  }
}

static void take_data(struct stream *stream, const uint8_t *data, uint32_t length) {
  if (!stream->pending) stream->pending = malloc(WINDOW);
  if (!stream->pending) quit("memory");
  if (stream->length + length > WINDOW) quit("more data than there was credit for");
  for (uint32_t i = 0; i < length; i++) stream->pending[(stream->start + stream->length + i) % WINDOW] = data[i];
  stream->length += length;
  if (!stream->connecting) give_to_socket(stream);
}

static void finish_connect(struct stream *stream) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    reset(stream, error);
    return;
  }
  stream->connecting = 0;
  send_frame(OPENED, stream->id, NULL, 0);
  give_to_socket(stream);
}

/* kserve-local connects to an address inside the namespace: IPv4 address, port. */
static void dial(uint32_t id, const uint8_t *payload, uint32_t length) {
  struct sockaddr_in to = {.sin_family = AF_INET};
  if (length != 6) quit("OPEN without an address");
  memcpy(&to.sin_addr, payload, 4);
  memcpy(&to.sin_port, payload + 4, 2);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct stream *stream = fd < 0 ? NULL : add(fd, id);
  if (!stream) {
    if (fd >= 0) close(fd);
    send_number(RESET, id, EMFILE);
    return;
  }
  stream->connecting = 1;
  if (!connect(fd, (struct sockaddr *)&to, sizeof to)) finish_connect(stream);
  else if (errno != EINPROGRESS) reset(stream, errno);
}

/* A connection from inside: local address and port, the peer's address and port. */
static void take_connection(int listener) {
  static uint32_t next_id = 2; /* ours are even */
  struct sockaddr_in local, peer;
  socklen_t size = sizeof peer;
  int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  size = sizeof local;
  getsockname(fd, (struct sockaddr *)&local, &size);
  uint8_t payload[12];
  memcpy(payload, &local.sin_addr, 4);
  memcpy(payload + 4, &local.sin_port, 2);
  memcpy(payload + 6, &peer.sin_addr, 4);
  memcpy(payload + 10, &peer.sin_port, 2);
  struct stream *stream = add(fd, next_id);
  if (!stream) {
    close(fd);
    return;
  }
  next_id += 2;
  send_frame(OPEN, stream->id, payload, sizeof payload);
}

/* ---- calls ---- */

static size_t listening_in(const char *path, char *text, size_t size) {
  char line[512], address[128];
  unsigned state;
  size_t length = 0;
  FILE *table = fopen(path, "r");
  if (!table) return 0;
  while (fgets(line, sizeof line, table) && length + sizeof address < size)
    if (sscanf(line, "%*s %127s %*s %x", address, &state) == 2 && state == 0x0a)
      length += (size_t)sprintf(text + length, "%s\n", address);
  fclose(table);
  return length;
}

/* "ADDRESS:PORT" a line, in the kernel's hexadecimal. */
static void reply_listening(uint32_t id) {
  static char text[LARGEST_PAYLOAD];
  size_t length = listening_in("/proc/net/tcp", text, sizeof text);
  length += listening_in("/proc/net/tcp6", text + length, sizeof text - length);
  send_frame(REPLY, id, text, length);
}

static int listen_on(struct sockaddr_in *address) {
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (!bind(fd, (struct sockaddr *)address, sizeof *address) && !listen(fd, 512)) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static void end_proof(void) {
  if (proof >= 0) close(proof);
  proof = -1;
}

/* A port on every address that gives the nonce to whoever connects. */
static void begin_proof(uint32_t id, const char *text) {
  char port[16];
  end_proof();
  snprintf(nonce, sizeof nonce, "%s", text);
  struct sockaddr_in any = {.sin_family = AF_INET};
  for (int number = FIRST_PROOF_PORT; proof < 0 && number <= LAST_PROOF_PORT; number++) {
    any.sin_port = htons((uint16_t)number);
    proof = listen_on(&any);
  }
  snprintf(port, sizeof port, "%d", proof < 0 ? 0 : ntohs(any.sin_port));
  send_text(REPLY, id, port);
}

static void give_proof(void) {
  int fd = accept(proof, NULL, NULL);
  if (fd < 0) return;
  send(fd, nonce, strlen(nonce), MSG_NOSIGNAL);
  close(fd);
}

static void call(uint32_t id, char *text) {
  if (!strcmp(text, "listening")) reply_listening(id);
  else if (!strncmp(text, "prove ", 6)) begin_proof(id, text + 6);
  else if (!strcmp(text, "unprove")) {
    end_proof();
    send_text(REPLY, id, "ok");
  } else if (!strncmp(text, "names ", 6)) send_text(REPLY, id, dns_set_names(text + 6) ? "refused" : "ok");
  else send_text(REPLY, id, "unknown");
}

/* ---- what kserve-local sends ---- */

static void take_frame(uint8_t type, uint32_t id, uint8_t *payload, uint32_t length) {
  struct stream *stream = find(id);
  if (type == CALL) {
    payload[length] = 0;
    call(id, (char *)payload);
  } else if (type == OPEN) dial(id, payload, length);
  else if (!stream) return; /* it has ended here, which the other side will read next */
  else if (type == DATA) take_data(stream, payload, length);
  else if (type == RESET) abort_stream(stream);
  else if (type == CREDIT && length == 4) stream->credit += load32(payload);
  else if (type == END) {
    stream->write_ended = 1;
    if (!stream->connecting) give_to_socket(stream);
  }
}

static void take_input(void) {
  static uint8_t input[2 * (HEADER + LARGEST_PAYLOAD) + 1];
  static uint32_t have;
  ssize_t got = read(0, input + have, sizeof input - 1 - have);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) exit(0); /* kserve-local is gone */
  have += (uint32_t)got;
  uint32_t at = 0;
  while (have - at >= HEADER) {
    uint32_t length = (uint32_t)input[at + 2] << 8 | input[at + 3];
    if (length > LARGEST_PAYLOAD) quit("a frame that is too large");
    if (have - at < HEADER + length) break;
    uint8_t *payload = input + at + HEADER;
    /* A call is read as a string: the byte behind it is lent to its end. */
    uint8_t behind = payload[length];
    take_frame(input[at], load32(input + at + 4), payload, length);
    payload[length] = behind;
    at += HEADER + length;
  }
  memmove(input, input + at, have - at);
  have -= at;
}

/* ---- set-up ---- */

/* An alias of lo, so that the address is this namespace's own. */
static void add_address(const char *text) {
  static int count;
  struct ifreq request = {0};
  struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
  snprintf(request.ifr_name, IFNAMSIZ, "lo:%d", ++count);
  address->sin_family = AF_INET;
  if (inet_pton(AF_INET, text, &address->sin_addr) != 1) quit(text);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (ioctl(fd, SIOCSIFADDR, &request)) quit("adding an address");
  address->sin_addr.s_addr = INADDR_NONE;
  if (ioctl(fd, SIOCSIFNETMASK, &request)) quit("setting a netmask");
  close(fd);
}

/* "address:port" */
static void add_listener(char *text) {
  char *colon = strrchr(text, ':');
  if (!colon || listener_count == MOST_LISTENERS) quit("--listen");
  *colon = 0;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
  if (inet_pton(AF_INET, text, &address.sin_addr) != 1) quit(text);
  listeners[listener_count].fd = listen_on(&address);
  if (listeners[listener_count].fd < 0) quit("listening");
  listeners[listener_count++].address = address;
}

static void set_up(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    char *value = argv[i + 1];
    if (!strcmp(argv[i], "--address")) add_address(value);
    else if (!strcmp(argv[i], "--listen")) add_listener(value);
    else if (!strcmp(argv[i], "--names")) {
      if (dns_set_names(value)) quit("--names");
    } else if (!strcmp(argv[i], "--search")) {
      if (resolver_listen()) quit("listening on port 53");
      if (resolver_take_over(value)) quit("/etc/resolv.conf");
    } else quit(argv[i]);
  }
}

/* ---- the loop ---- */

static struct pollfd polls[3 + MOST_LISTENERS + RESOLVER_POLLS + MOST_STREAMS];

static short wanted(const struct stream *stream) {
  if (stream->connecting) return POLLOUT;
  short events = stream->length > 0 ? POLLOUT : 0;
  if (!stream->read_ended && stream->credit > 0) events |= POLLIN;
  return events;
}

static void turn(void) {
  static struct stream *polled[MOST_STREAMS];
  int count = 0, streamed = 0;
  polls[count++] = (struct pollfd){0, POLLIN, 0};
  polls[count++] = (struct pollfd){proof, POLLIN, 0};
  /* Where no place is left, connections wait in the kernel. */
  for (int i = 0; i < listener_count; i++)
    polls[count++] = (struct pollfd){stream_count < MOST_STREAMS ? listeners[i].fd : -1, POLLIN, 0};
  int resolver = count;
  count += resolver_polls(polls + count);
  int first = count;
  for (struct stream *stream = streams; stream < streams + MOST_STREAMS; stream++) {
    short events = stream->fd < 0 ? 0 : wanted(stream);
    if (!events) continue;
    polls[count++] = (struct pollfd){stream->fd, events, 0};
    polled[streamed++] = stream;
  }
  if (poll(polls, (nfds_t)count, resolver_tick()) < 0) return;
  for (int i = 0; i < streamed; i++) {
    short events = polls[first + i].revents;
    int fd = polls[first + i].fd;
    if (!events) continue;
    if (polled[i]->connecting) finish_connect(polled[i]);
    else {
      if (events & (POLLOUT | POLLERR | POLLHUP)) give_to_socket(polled[i]);
      if (polled[i]->fd == fd && polls[first + i].events & POLLIN && events & (POLLIN | POLLHUP | POLLERR))
        take_from_socket(polled[i]);
    }
  }
  resolver_ready(polls + resolver, first - resolver);
  for (int i = 0; i < listener_count; i++)
    if (polls[2 + i].revents) take_connection(listeners[i].fd);
  if (polls[1].revents) give_proof();
  if (polls[0].revents) take_input();
}

int holder_main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, _exit);
  signal(SIGINT, _exit);
  signal(SIGCHLD, SIG_IGN); /* nobody waits for the resolver's processes */
  for (int i = 0; i < MOST_STREAMS; i++) streams[i].fd = -1;
  set_up(argc, argv);
  if (drop_all_capabilities()) quit("dropping capabilities");
  send_text(HELLO, 0, "kserve-local holder 1");
  for (;;) turn();
}
