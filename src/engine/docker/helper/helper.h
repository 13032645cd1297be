/* One static program, two roles; README.md says what each is for. */
#ifndef HELPER_H
#define HELPER_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* The folder that the program is mounted at in an app's container (HELPER_FOLDER in volume.ts). */
#define HELPER_FOLDER "/.kserve-local"

int gate_main(int argc, char **argv);
int holder_main(int argc, char **argv);

/* root.c: replaces "/" by an overlay whose upper layer is a tmpfs of `bytes` (NULL: the kernel's default size).
   The mounts whose paths are in `skip` are not carried over. Returns NULL, or the step that failed, errno set. */
const char *build_memory_root(const char *bytes, char *const *skip, int skips);
/* Like mkdir -p, as root would; errors are left to whoever then uses the path. */
void make_folders(const char *path);

/* rights.c: each returns 0, or -1 with errno set. */
int deny_administration(void);
int drop_capability(int capability);
int drop_all_capabilities(void);

/* execute.c: finds and executes as a container runtime does. Returns only on failure: the exit code, and the runtime's
   own words in `why`. */
int execute(char **argv, char *why, size_t size);

/* dns.c */
#define DNS_LARGEST 4096
/* From "pattern=address" lines; replaces what was set before. Returns 0, or -1 where a line can't be read. */
int dns_set_names(const char *lines);
/* Length of the reply to send; 0: somebody else has to answer; -1: not a query. `reply` holds DNS_LARGEST bytes. */
int dns_answer(const uint8_t *query, int length, uint8_t *reply);
/* An empty reply with this code to a query that dns_answer could read. */
int dns_refuse(const uint8_t *query, int length, uint8_t *reply, int code);

/* resolver.c */
/* Reads the upstream servers from /etc/resolv.conf and puts ourselves there. */
int resolver_take_over(const char *search);
int resolver_listen(void);
/* Fills `into` with what to wait for, at most RESOLVER_POLLS. */
struct pollfd;
#define RESOLVER_POLLS 66
int resolver_polls(struct pollfd *into);
void resolver_ready(const struct pollfd *polls, int count);
/* Moves overdue queries on to the next server. Milliseconds until the next one is due, -1: none. */
int resolver_tick(void);

#endif
