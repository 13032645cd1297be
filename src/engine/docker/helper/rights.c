/* Giving rights up: capabilities, and the system calls that an engine's seccomp profile allowed for the sake of one. */
#include "helper.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int keep_capabilities(const uint32_t mask[2]) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data)) return -1;
  for (int i = 0; i < 2; i++) {
    data[i].effective &= mask[i];
    data[i].permitted &= mask[i];
    data[i].inheritable &= mask[i];
  }
  return (int)syscall(SYS_capset, &header, data);
}

/* From the bounding set first: that takes a capability itself (SETPCAP). */
int drop_capability(int capability) {
  uint32_t mask[2] = {~0u, ~0u};
  mask[capability / 32] &= ~(1u << capability % 32);
  if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)) return -1;
  return keep_capabilities(mask);
}

int drop_all_capabilities(void) {
  const uint32_t none[2] = {0, 0};
  return keep_capabilities(none);
}

/* What Docker's default profile allows only with CAP_SYS_ADMIN, by number: x86-64 (x32 has the same), then i386. */
static const uint16_t DENIED_64[] = {
    103 /* syslog */, 165 /* mount */, 166 /* umount2 */, 170 /* sethostname */, 171 /* setdomainname */,
    179 /* quotactl */, 212 /* lookup_dcookie */, 272 /* unshare */, 298 /* perf_event_open */,
    300 /* fanotify_init */, 308 /* setns */, 321 /* bpf */, 428 /* open_tree */, 429 /* move_mount */,
    430 /* fsopen */, 431 /* fsconfig */, 432 /* fsmount */, 433 /* fspick */, 442 /* mount_setattr */,
    443 /* quotactl_fd */};
static const uint16_t DENIED_32[] = {
    103 /* syslog */, 21 /* mount */, 22 /* umount */, 52 /* umount2 */, 74 /* sethostname */,
    121 /* setdomainname */, 131 /* quotactl */, 253 /* lookup_dcookie */, 310 /* unshare */,
    336 /* perf_event_open */, 338 /* fanotify_init */, 346 /* setns */, 357 /* bpf */, 428, 429, 430, 431, 432,
    433, 442, 443};
enum { CLONE_64 = 56, CLONE_32 = 120, CLONE3 = 435, X32_BIT = 0x40000000, NAMESPACES = 0x7e020000 };

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))
#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))

static struct sock_filter program[160];
static int length;

static void add(uint16_t code, uint32_t value, uint8_t yes, uint8_t no) {
  program[length++] = (struct sock_filter){code, yes, no, value};
}

static void answer(uint32_t value) { add(BPF_RET | BPF_K, value, 0, 0); }

/* Ends the program with an answer in every case; the number of the system call is loaded. */
static void judge(const uint16_t *denied, int count, uint32_t clone) {
  for (int i = 0; i < count; i++) {
    add(BPF_JMP | BPF_JEQ | BPF_K, denied[i], 0, 1);
    answer(SECCOMP_RET_ERRNO | EPERM);
  }
  add(BPF_JMP | BPF_JEQ | BPF_K, CLONE3, 0, 1);
  answer(SECCOMP_RET_ERRNO | ENOSYS); /* its flags can't be seen; programs then use clone */
  add(BPF_JMP | BPF_JEQ | BPF_K, clone, 0, 3);
  add(BPF_LD | BPF_W | BPF_ABS, FIELD(args[0]), 0, 0);
  add(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
  answer(SECCOMP_RET_ERRNO | EPERM);
  answer(SECCOMP_RET_ALLOW);
}

/* On top of the engine's own filter, which goes on applying. Installing one takes CAP_SYS_ADMIN or no_new_privs, and the
   latter would be visible to the app. Where the engine uses no filter there is nothing to make up for. */
int deny_administration(void) {
  if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) <= 0) return 0;
  add(BPF_LD | BPF_W | BPF_ABS, FIELD(arch), 0, 0);
  int branch = length;
  add(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 0 /* set below */);
  add(BPF_LD | BPF_W | BPF_ABS, FIELD(nr), 0, 0);
  add(BPF_ALU | BPF_AND | BPF_K, (uint32_t)~X32_BIT, 0, 0);
  judge(DENIED_64, COUNT(DENIED_64), CLONE_64);
  program[branch].jf = (uint8_t)(length - branch - 1);
  add(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 1, 0);
  answer(SECCOMP_RET_ALLOW); /* an emulator's own processor, with numbers of its own */
  add(BPF_LD | BPF_W | BPF_ABS, FIELD(nr), 0, 0);
  judge(DENIED_32, COUNT(DENIED_32), CLONE_32);
  struct sock_fprog filter = {(unsigned short)length, program};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}
