/*
 * The gate stands in front of an app: everything that a start needs is done, and the app's program is executed when one byte
 * arrives on stdin. See README.md for the options.
 *
 * Its own lines on stderr begin with "kserve-local-gate <token> ", so that they can be told from the app's:
 *   ready                   it waits
 *   root <step>: <error>    no in-memory root could be built (exit code 125)
 *   failed <code> <why>     the app can't be executed, in a container runtime's words
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_SKIPS 64
#define MOST_GROUPS 256
#define BROKEN 125

struct plan {
  const char *token;
  int init, memory, filter, has_user;
  const char *bytes;
  char *skip[MOST_SKIPS];
  int skips;
  uid_t uid;
  gid_t gid, groups[MOST_GROUPS];
  int group_count;
  char **program;
};

static struct plan plan = {.token = "-"};

static noreturn void give_up(int code, const char *kind, const char *what) {
  dprintf(2, "kserve-local-gate %s %s %s: %s\n", plan.token, kind, what, strerror(errno));
  _exit(code);
}

/* "uid:gid" or "uid:gid:group,group" */
static void parse_user(char *text) {
  plan.has_user = 1;
  plan.uid = (uid_t)strtoul(text, &text, 10);
  if (*text == ':') plan.gid = (gid_t)strtoul(text + 1, &text, 10);
  while ((*text == ':' || *text == ',') && plan.group_count < MOST_GROUPS)
    plan.groups[plan.group_count++] = (gid_t)strtoul(text + 1, &text, 10);
}

static void parse(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    char *option = argv[i];
    if (!strcmp(option, "--")) {
      plan.program = argv + i + 1;
      break;
    }
    if (!strcmp(option, "--init")) plan.init = 1;
    else if (!strcmp(option, "--memory")) plan.memory = 1;
    else if (!strcmp(option, "--filter")) plan.filter = 1;
    else if (i + 1 == argc) break;
    else if (!strcmp(option, "--token")) plan.token = argv[++i];
    else if (!strcmp(option, "--bytes")) plan.bytes = argv[++i];
    else if (!strcmp(option, "--user")) parse_user(argv[++i]);
    else if (!strcmp(option, "--skip") && plan.skips < MOST_SKIPS) plan.skip[plan.skips++] = argv[++i];
    else break;
  }
  if (plan.program && plan.program[0]) return;
  errno = EINVAL;
  give_up(BROKEN, "broken", "options");
}

/* The container was created with one capability more than the app is to have: it ends here, in every set. */
static void give_back_rights(void) {
  if (plan.filter && deny_administration()) give_up(BROKEN, "broken", "seccomp");
  if (drop_capability(CAP_SYS_ADMIN)) give_up(BROKEN, "broken", "capabilities");
}

static void become_user(void) {
  if (setgroups((size_t)plan.group_count, plan.groups)) give_up(BROKEN, "broken", "setgroups");
  if (setresgid(plan.gid, plan.gid, plan.gid)) give_up(BROKEN, "broken", "setgid");
  if (setresuid(plan.uid, plan.uid, plan.uid)) give_up(BROKEN, "broken", "setuid");
  /* A change of user hides /proc/1 from the app, which an init that was started as this user doesn't do. */
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* Like runc: with the rights of root where that works, and else as the user. */
static void prepare(void) {
  char *folder = getcwd(NULL, 0);
  if (!folder) give_up(BROKEN, "broken", "working directory");
  const char *step = build_memory_root(plan.bytes, plan.skip, plan.skips);
  if (step) give_up(BROKEN, "root", step);
  make_folders(folder);
  int inside = !chdir(folder);
  give_back_rights();
  if (plan.has_user) become_user();
  if (!inside && chdir(folder)) give_up(BROKEN, "broken", folder);
  free(folder);
}

static void leave(int signal) { _exit(128 + signal); }

static const int ENDING[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

/* The kernel ignores signals without a handler for PID 1; a gate that waits is to go at once. */
static void on_ending(void (*handler)(int)) {
  for (size_t i = 0; i < sizeof ENDING / sizeof *ENDING; i++) signal(ENDING[i], handler);
}

static void wait_for_go(void) {
  char go;
  ssize_t got;
  on_ending(leave);
  dprintf(2, "kserve-local-gate %s ready\n", plan.token);
  do got = read(0, &go, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) _exit(0); /* kserve-local is gone */
  int nothing = open("/dev/null", O_RDWR);
  if (nothing < 0) close(0);
  else if (nothing > 0) {
    dup2(nothing, 0);
    close(nothing);
  }
  on_ending(SIG_DFL);
}

static noreturn void become_app(void) {
  char why[1024];
  int code = execute(plan.program, why, sizeof why);
  dprintf(2, "kserve-local-gate %s failed %d %s\n", plan.token, code, why);
  _exit(code);
}

static int is_fault(int signal) {
  return signal == SIGFPE || signal == SIGILL || signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT ||
         signal == SIGTRAP || signal == SIGSYS;
}

/* An init process, as docker-init is: the app has a process group of its own, gets every signal that we get, orphans are
   reaped, and we end as the app does. */
static noreturn void run_as_init(void) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  pid_t app = fork();
  if (app < 0) give_up(BROKEN, "broken", "fork");
  if (app == 0) {
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
    become_app();
  }
  for (;;) {
    int signal, status;
    if (sigwait(&all, &signal)) continue;
    if (signal != SIGCHLD) {
      if (!is_fault(signal)) kill(app, signal);
      continue;
    }
    for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended != app) continue;
      _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
  }
}

int gate_main(int argc, char **argv) {
  parse(argc, argv);
  if (plan.memory) prepare();
  wait_for_go();
  if (plan.init) run_as_init();
  become_app();
}
