// Replaces the system's randomness by streams that a test chooses, for the wire digests.
//
// Preloaded, it stands before the C library's getrandom. A thread that has called wire_entropy
// draws SplitMix64 from its label; all others draw from the system as ever. The package under test
// is the one that is released: nothing in it knows of this file.
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static __thread uint64_t state;
static __thread int labelled;

void wire_entropy(const char* label) {
  state = 0xcbf29ce484222325u;
  for (; *label != 0; ++label) state = (state ^ (unsigned char)*label) * 0x100000001b3u;
  labelled = 1;
}

static uint64_t next_word(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

ssize_t getrandom(void* out, size_t size, unsigned flags) {
  if (!labelled) return syscall(SYS_getrandom, out, size, flags);
  for (size_t done = 0; done < size; done += 8) {
    const uint64_t word = next_word();
    memcpy((char*)out + done, &word, size - done < 8 ? size - done : 8);
  }
  return (ssize_t)size;
}
