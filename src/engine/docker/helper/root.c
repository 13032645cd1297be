/*
 * An in-memory root: an overlay of a tmpfs over the container's own root takes that root's place. Writes go to memory, count
 * against the container's memory limit and are gone when it stops; the layer on disk is never written to.
 *
 * pivot_root is refused by Docker's seccomp profile; moving a mount onto "/" and chroot into it is not, given CAP_SYS_ADMIN.
 */
#include "helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>

/* The mount that brought this program is where the new root is built: it isn't needed any more. */
#define SCRATCH HELPER_FOLDER
#define UPPER SCRATCH "/upper"
#define WORK SCRATCH "/work"
#define NEW_ROOT SCRATCH "/root"
#define MOST_MOUNTS 512
#define LONGEST 4096

void make_folders(const char *path) {
  char part[LONGEST];
  snprintf(part, sizeof part, "%s", path);
  for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(part, 0755);
    *slash = '/';
  }
  mkdir(part, 0755);
}

/* In /proc/self/mountinfo a blank in a path is \040, and so on. */
static void unescape(char *text) {
  char *to = text;
  for (char *from = text; *from; from++) {
    int octal = from[0] == '\\' && from[1] && from[2] && from[3];
    if (octal) {
      *to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
      from += 3;
    } else *to++ = *from;
  }
  *to = 0;
}

static int is_within(const char *path, const char *folder) {
  size_t length = strlen(folder);
  return !strncmp(path, folder, length) && (path[length] == '/' || path[length] == 0);
}

static int is_one_of(const char *path, char *const *list, int count) {
  for (int i = 0; i < count; i++)
    if (!strcmp(path, list[i])) return 1;
  return 0;
}

/* Binds the mount at `path`, with all below it, to the same place in the new root. */
static int carry_over(const char *path) {
  char target[LONGEST + sizeof NEW_ROOT];
  struct stat source, there;
  snprintf(target, sizeof target, NEW_ROOT "%s", path);
  if (stat(path, &source)) return 0;
  if (stat(target, &there)) {
    /* Its place may have been on a mount that isn't carried over. */
    char *name = strrchr(target, '/');
    *name = 0;
    make_folders(target);
    *name = '/';
    if (S_ISDIR(source.st_mode)) mkdir(target, 0755);
    else close(open(target, O_CREAT | O_WRONLY, 0644));
  }
  return mount(path, target, NULL, MS_BIND | MS_REC, NULL);
}

/* Only the topmost mounts are bound: the others come with them. */
static int carry_over_mounts(char *const *skip, int skips) {
  static char line[3 * LONGEST], path[LONGEST];
  static char *carried[MOST_MOUNTS];
  int count = 0;
  FILE *mounts = fopen("/proc/self/mountinfo", "r");
  if (!mounts) return -1;
  while (fgets(line, sizeof line, mounts)) {
    if (sscanf(line, "%*s %*s %*s %*s %4095s", path) != 1) continue;
    unescape(path);
    if (!strcmp(path, "/") || is_within(path, SCRATCH) || is_one_of(path, skip, skips)) continue;
    int covered = 0;
    for (int i = 0; i < count; i++) covered |= is_within(path, carried[i]);
    if (covered) continue;
    if (count == MOST_MOUNTS) {
      errno = E2BIG;
      return -1;
    }
    if (carry_over(path)) return -1;
    carried[count++] = strdup(path);
  }
  fclose(mounts);
  return 0;
}

/* The overlay's "/" is the upper layer's: it gets mode and owner of the root that it replaces. */
static int copy_root_attributes(void) {
  struct stat root;
  if (stat("/", &root)) return -1;
  if (chown(UPPER, root.st_uid, root.st_gid)) return -1;
  return chmod(UPPER, root.st_mode & 07777);
}

const char *build_memory_root(const char *bytes, char *const *skip, int skips) {
  char options[128];
  snprintf(options, sizeof options, "mode=0755%s%s", bytes ? ",size=" : "", bytes ? bytes : "");
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return "mount private";
  if (mount("kserve-local", SCRATCH, "tmpfs", 0, options)) return "mount tmpfs";
  if (mkdir(UPPER, 0755) || mkdir(WORK, 0755) || mkdir(NEW_ROOT, 0755)) return "mkdir";
  if (copy_root_attributes()) return "root attributes";
  if (mount("overlay", NEW_ROOT, "overlay", 0, "lowerdir=/,upperdir=" UPPER ",workdir=" WORK)) return "mount overlay";
  if (carry_over_mounts(skip, skips)) return "bind mounts";
  if (chdir(NEW_ROOT)) return "chdir";
  if (mount(".", "/", NULL, MS_MOVE, NULL)) return "move";
  if (chroot(".")) return "chroot";
  /* An empty mount point that the image doesn't have. */
  rmdir(SCRATCH);
  return NULL;
}
