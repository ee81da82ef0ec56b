// Takes down what a process writes to and reads from its sockets, and what it puts into and gets out
// of TLS, for the tests that search it. Preloaded, it stands before the C library and OpenSSL.
//
// $PETCORE_TAP is a folder; every process appends to a file PID.bytes in it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int file = -1;
static pid_t owner;

static void take(const void* bytes, size_t size) {
  pthread_mutex_lock(&lock);
  if (owner != getpid()) {  // the first call, or a child after fork
    const char* folder = getenv("PETCORE_TAP");
    char path[4096];
    owner = getpid();
    file = -1;
    if (folder != NULL) {
      snprintf(path, sizeof path, "%s/%d.bytes", folder, (int)owner);
      file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
  }
  while (file >= 0 && size > 0) {
    const long done = syscall(SYS_write, file, bytes, size);
    if (done <= 0) break;
    bytes = (const char*)bytes + done;
    size -= (size_t)done;
  }
  pthread_mutex_unlock(&lock);
}

static int is_socket(int fd) {
  struct stat about;
  return fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int fd, void* out, size_t size) {
  const ssize_t got = NEXT(read)(fd, out, size);
  if (got > 0 && is_socket(fd)) take(out, (size_t)got);
  return got;
}

ssize_t write(int fd, const void* in, size_t size) {
  const ssize_t sent = NEXT(write)(fd, in, size);
  if (sent > 0 && is_socket(fd)) take(in, (size_t)sent);
  return sent;
}

ssize_t recv(int fd, void* out, size_t size, int flags) {
  const ssize_t got = NEXT(recv)(fd, out, size, flags);
  if (got > 0) take(out, (size_t)got);
  return got;
}

ssize_t send(int fd, const void* in, size_t size, int flags) {
  const ssize_t sent = NEXT(send)(fd, in, size, flags);
  if (sent > 0) take(in, (size_t)sent);
  return sent;
}

static void take_pieces(const struct iovec* pieces, size_t count, size_t size) {
  for (size_t i = 0; i < count && size > 0; ++i) {
    const size_t part = pieces[i].iov_len < size ? pieces[i].iov_len : size;
    take(pieces[i].iov_base, part);
    size -= part;
  }
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  const ssize_t sent = NEXT(sendmsg)(fd, message, flags);
  if (sent > 0) take_pieces(message->msg_iov, message->msg_iovlen, (size_t)sent);
  return sent;
}

ssize_t recvmsg(int fd, struct msghdr* message, int flags) {
  const ssize_t got = NEXT(recvmsg)(fd, message, flags);
  if (got > 0) take_pieces(message->msg_iov, message->msg_iovlen, (size_t)got);
  return got;
}

ssize_t writev(int fd, const struct iovec* pieces, int count) {
  const ssize_t sent = NEXT(writev)(fd, pieces, count);
  if (sent > 0 && is_socket(fd)) take_pieces(pieces, (size_t)count, (size_t)sent);
  return sent;
}

ssize_t readv(int fd, const struct iovec* pieces, int count) {
  const ssize_t got = NEXT(readv)(fd, pieces, count);
  if (got > 0 && is_socket(fd)) take_pieces(pieces, (size_t)count, (size_t)got);
  return got;
}

int SSL_read_ex(SSL* ssl, void* out, size_t size, size_t* got) {
  const int ok = NEXT(SSL_read_ex)(ssl, out, size, got);
  if (ok == 1) take(out, *got);
  return ok;
}

int SSL_write_ex(SSL* ssl, const void* in, size_t size, size_t* sent) {
  const int ok = NEXT(SSL_write_ex)(ssl, in, size, sent);
  if (ok == 1) take(in, *sent);
  return ok;
}

int SSL_read(SSL* ssl, void* out, int size) {
  const int got = NEXT(SSL_read)(ssl, out, size);
  if (got > 0) take(out, (size_t)got);
  return got;
}

int SSL_write(SSL* ssl, const void* in, int size) {
  const int sent = NEXT(SSL_write)(ssl, in, size);
  if (sent > 0) take(in, (size_t)sent);
  return sent;
}
