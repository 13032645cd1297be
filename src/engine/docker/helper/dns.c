/* DNS messages: which name a query asks for, and the reply where the name is one of ours. RFC 1035, section 4. */
#include "helper.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MOST_NAMES 256
#define LONGEST_NAME 255
#define HEADER 12
enum { TYPE_A = 1, CLASS_IN = 1, TTL_SECONDS = 5, NAME_ERROR = 3 };

/* Names below it that aren't ours don't exist: a cluster's DNS answers for its own domain. */
static const char CLUSTER_DOMAIN[] = "cluster.local";

static struct {
  char pattern[LONGEST_NAME + 1];
  struct in_addr address;
} names[MOST_NAMES];
static int name_count;

int dns_set_names(const char *lines) {
  name_count = 0;
  while (*lines) {
    char line[LONGEST_NAME + 32];
    size_t length = strcspn(lines, "\n");
    if (length >= sizeof line) return -1;
    memcpy(line, lines, length);
    line[length] = 0;
    lines += length + (lines[length] == '\n');
    if (length == 0) continue;
    char *equals = strchr(line, '=');
    if (!equals || equals - line > LONGEST_NAME || name_count == MOST_NAMES) return -1;
    *equals = 0;
    if (inet_pton(AF_INET, equals + 1, &names[name_count].address) != 1) return -1;
    strcpy(names[name_count++].pattern, line);
  }
  return 0;
}

/* "*." at the front of a pattern stands for exactly one label: example.com.default.svc.cluster.local, which the search list
   makes of example.com, is not to be found. */
static int matches(const char *name, const char *pattern) {
  if (pattern[0] != '*') return !strcasecmp(name, pattern);
  const char *dot = strchr(name, '.');
  return dot && dot > name && !strcasecmp(dot, pattern + 1);
}

static int is_below(const char *name, const char *domain) {
  size_t length = strlen(name), tail = strlen(domain);
  if (length < tail || strcasecmp(name + length - tail, domain)) return 0;
  return length == tail || name[length - tail - 1] == '.';
}

static int number(const uint8_t *at) { return at[0] << 8 | at[1]; }

/* Reads the one question. Returns where it ends, or -1; `name` gets no dot at its end. */
static int question(const uint8_t *query, int length, char *name, int *type) {
  const int reply_or_opcode = 0xf8;
  if (length < HEADER || query[2] & reply_or_opcode || number(query + 4) != 1) return -1;
  int at = HEADER, to = 0;
  while (at < length && query[at]) {
    int label = query[at++];
    if (label > 63 || at + label >= length || to + label + 1 > LONGEST_NAME) return -1;
    if (to) name[to++] = '.';
    memcpy(name + to, query + at, (size_t)label);
    to += label;
    at += label;
  }
  name[to] = 0;
  if (at + 5 > length || number(query + at + 3) != CLASS_IN) return -1;
  *type = number(query + at + 1);
  return at + 5;
}

/* Header and question of the query, as a reply with this code and `answers` records to follow. */
static int begin(const uint8_t *query, int end, uint8_t *reply, int code, int answers) {
  memcpy(reply, query, (size_t)end);
  reply[2] = (uint8_t)(0x84 | (query[2] & 1)); /* reply, authoritative, recursion desired as asked */
  reply[3] = (uint8_t)(0x80 | code);           /* recursion available */
  memset(reply + 6, 0, 6);
  reply[7] = (uint8_t)answers;
  return end;
}

int dns_refuse(const uint8_t *query, int length, uint8_t *reply, int code) {
  char name[LONGEST_NAME + 1];
  int type, end = question(query, length, name, &type);
  return end < 0 ? -1 : begin(query, end, reply, code, 0);
}

int dns_answer(const uint8_t *query, int length, uint8_t *reply) {
  char name[LONGEST_NAME + 1];
  int type, end = question(query, length, name, &type);
  if (end < 0) return -1;
  for (int i = 0; i < name_count; i++) {
    if (!matches(name, names[i].pattern)) continue;
    int to = begin(query, end, reply, 0, type == TYPE_A);
    if (type != TYPE_A) return to;
    /* The name is the question's (a pointer to offset 12). */
    const uint8_t record[] = {0xc0, HEADER, 0, TYPE_A, 0, CLASS_IN, 0, 0, 0, TTL_SECONDS, 0, 4};
    memcpy(reply + to, record, sizeof record);
    memcpy(reply + to + sizeof record, &names[i].address, 4);
    return to + (int)sizeof record + 4;
  }
  return is_below(name, CLUSTER_DOMAIN) ? begin(query, end, reply, NAME_ERROR, 0) : 0;
}
