/* Finding and executing a program, with runc's rules and in its words, because start-failure.ts reads those. */
#include "helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOT_FOUND 127
#define NOT_EXECUTABLE 126
/* What runc exits with (since 1.2; 1 before) when the kernel refuses the program. */
#define NOT_STARTED 255

extern char **environ;

static const char *words(int error) {
  switch (error) {
    case ENOENT: return "no such file or directory";
    case EACCES: return "permission denied";
    case EISDIR: return "is a directory: permission denied";
    case ENOTDIR: return "not a directory";
    case ENOEXEC: return "exec format error";
    default: return strerror(error);
  }
}

/* 0, or why this can't be executed. */
static int check(const char *path) {
  struct stat found;
  if (stat(path, &found)) return errno;
  if (S_ISDIR(found.st_mode)) return EISDIR;
  return access(path, X_OK) ? errno : 0;
}

/* The first executable of that name in PATH; what isn't executable is passed over, as Go's LookPath does. */
static const char *search(const char *name, char *path, size_t size) {
  const char *folder = getenv("PATH");
  while (folder && *folder) {
    size_t length = strcspn(folder, ":");
    int written = snprintf(path, size, "%.*s/%s", (int)length, length ? folder : ".", name);
    if (length == 0) written = snprintf(path, size, "./%s", name);
    if (written > 0 && (size_t)written < size && !check(path)) return path;
    folder += length + (folder[length] == ':');
  }
  return NULL;
}

int execute(char **argv, char *why, size_t size) {
  char found[4096];
  const char *path = argv[0];
  if (!strchr(path, '/')) {
    path = search(path, found, sizeof found);
    if (!path) {
      snprintf(why, size, "exec: \"%s\": executable file not found in $PATH", argv[0]);
      return NOT_FOUND;
    }
  }
  int error = check(path);
  if (error) {
    int missing = error == ENOENT || error == ENOTDIR;
    if (missing) snprintf(why, size, "exec: \"%s\": stat %s: %s", path, path, words(error));
    else snprintf(why, size, "exec: \"%s\": %s", path, words(error));
    return missing ? NOT_FOUND : NOT_EXECUTABLE;
  }
  execve(path, argv, environ);
  snprintf(why, size, "exec %s: %s", path, words(errno));
  return NOT_STARTED;
}
