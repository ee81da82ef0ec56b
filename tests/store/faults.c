/* Preloaded into a process: fails, ends or stops it at the n-th call by which a store writes.
 *
 * Calls are counted once armed. In `lossy` mode a write reaches its file only when it is synced: a
 * process that is killed then leaves what a machine leaves whose power is cut. Files whose name
 * ends in "trace" are the observer's and are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { NOTHING, BEFORE, AFTER, TORN, FULL, STOP };
static long count, at;
static int action, lossy;

struct held {
  struct held* next;
  int fd;
  off_t offset;
  size_t size;
  char bytes[];
};
static struct held *first, **last = &first;

void fault_arm(long call, int what, int loses) { count = 0, at = call, action = what, lossy = loses; }
long fault_count(void) { return count; }

static void* real(const char* name) { return dlsym(RTLD_NEXT, name); }
static void die(void) { kill(getpid(), SIGKILL), pause(); }

static int observed(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path);
  return n >= 5 && memcmp(path + n - 5, "trace", 5) == 0;
}

/* Whether this call is to fail. */
static int step(void) {
  if (at == 0) return 0;
  ++count;
  if (action == FULL && count >= at) return errno = ENOSPC, 1;
  if (action == BEFORE && count == at) die();
  return 0;
}

static void done(void) {
  if (action == AFTER && count == at) die();
  if (action == STOP && count == at) raise(SIGSTOP);
}

static ssize_t put(int fd, const void* bytes, size_t size, off_t offset) {
  static ssize_t (*write_at)(int, const void*, size_t, off_t);
  if (!write_at) write_at = real("pwrite");
  return write_at(fd, bytes, size, offset);
}

static void settle(int fd) {
  for (struct held** link = &first; *link;) {
    struct held* one = *link;
    if (one->fd != fd) {
      link = &one->next;
      continue;
    }
    put(fd, one->bytes, one->size, one->offset);
    *link = one->next;
    free(one);
  }
  for (last = &first; *last; last = &(*last)->next) {
  }
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  if (at == 0 || observed(fd)) return put(fd, bytes, size, offset);
  if (step()) return -1;
  if (action == TORN && count == at) put(fd, bytes, size / 2, offset), die();
  ssize_t n = (ssize_t)size;
  if (lossy) {
    struct held* one = malloc(sizeof *one + size);
    *one = (struct held){.fd = fd, .offset = offset, .size = size};
    memcpy(one->bytes, bytes, size);
    *last = one, last = &one->next;
  } else {
    n = put(fd, bytes, size, offset);
  }
  done();
  return n;
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off_t offset) {
  return pwrite(fd, bytes, size, offset);
}

static int sync_by(const char* name, int fd) {
  if (step()) return -1;
  if (lossy) settle(fd);
  int failed = ((int (*)(int))real(name))(fd);
  done();
  return failed;
}
int fdatasync(int fd) { return sync_by("fdatasync", fd); }
int fsync(int fd) { return sync_by("fsync", fd); }

int rename(const char* from, const char* to) {
  if (step()) return -1;
  int failed = ((int (*)(const char*, const char*))real("rename"))(from, to);
  done();
  return failed;
}

int unlink(const char* path) {
  if (at && action != FULL) step(); /* a full disk lets files go */
  int failed = ((int (*)(const char*))real("unlink"))(path);
  done();
  return failed;
}

/* A number that is closed is used again for another file: what was not synced is lost. */
int close(int fd) {
  if (lossy) {
    for (struct held** link = &first; *link;) {
      struct held* one = *link;
      if (one->fd != fd) {
        link = &one->next;
        continue;
      }
      *link = one->next;
      free(one);
    }
    for (last = &first; *last; last = &(*last)->next) {
    }
  }
  return ((int (*)(int))real("close"))(fd);
}
