// Randomness comes from the kernel for each call: no state of our own that a fork could duplicate.
#include <sys/random.h>

#include <cerrno>

#include "base/error.h"
#include "prg/prg.h"

namespace petcore::prg {

Seed random_seed() {
  Seed seed;
  random_bytes(seed);
  return seed;
}

void random_bytes(Bytes out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    check(got > 0, Code::entropy, "the system gives no random bytes (getrandom failed)");
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace petcore::prg
