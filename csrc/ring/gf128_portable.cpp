#include "ring/gf128_kernels.h"

namespace petcore::ring {
namespace {

// low_half is the low 64 bits of the carry-less product. Integer products of words with three bits
// in four missing keep carries apart: at most 16 ones meet in one place, and a sum of 16 only at
// the top, where it leaves the word (Pornin, "Constant-time Mul", BearSSL's ctmul).
inline std::uint64_t low_half(std::uint64_t x, std::uint64_t y) {
  constexpr std::uint64_t kEach = 0x1111111111111111;
  std::uint64_t parts_x[4], parts_y[4], out = 0;
  for (unsigned i = 0; i < 4; ++i) {
    parts_x[i] = x & kEach << i;
    parts_y[i] = y & kEach << i;
  }
  for (unsigned k = 0; k < 4; ++k) {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < 4; ++i) sum ^= parts_x[i] * parts_y[(k + 4 - i) % 4];
    out |= sum & kEach << k;
  }
  return out;
}

inline std::uint64_t reverse_bits(std::uint64_t x) {
  x = (x & 0x5555555555555555) << 1 | (x >> 1 & 0x5555555555555555);
  x = (x & 0x3333333333333333) << 2 | (x >> 2 & 0x3333333333333333);
  x = (x & 0x0f0f0f0f0f0f0f0f) << 4 | (x >> 4 & 0x0f0f0f0f0f0f0f0f);
  return __builtin_bswap64(x);
}

struct Field {
  using V = Gf128;
  struct Wide {
    std::uint64_t words[4];
  };

  static V load(const Gf128* from) { return *from; }
  static void store(Gf128* to, V x) { *to = x; }
  static V add(V x, V y) { return x ^ y; }
  static Wide add_wide(Wide p, const Wide& q) {
    for (int i = 0; i < 4; ++i) p.words[i] ^= q.words[i];
    return p;
  }
  // long_product is 128 bits of x y: the high half is the low half of the reversed words, reversed.
  static Gf128 long_product(std::uint64_t x, std::uint64_t y) {
    return {low_half(x, y), reverse_bits(low_half(reverse_bits(x), reverse_bits(y))) >> 1};
  }
  static Wide wide(V x, V y) {
    const Gf128 low = long_product(x.low, y.low), high = long_product(x.high, y.high);
    const Gf128 middle = long_product(x.low ^ x.high, y.low ^ y.high) ^ low ^ high;
    return {{low.low, low.high ^ middle.low, high.low ^ middle.high, high.high}};
  }
  // fold brings word 2 + i down to words i and i + 1 by x^128 = x^7 + x^2 + x + 1.
  static void fold(Wide& p, int i) {
    const std::uint64_t top = p.words[i + 2];
    p.words[i] ^= top ^ top << 1 ^ top << 2 ^ top << 7;
    p.words[i + 1] ^= top >> 63 ^ top >> 62 ^ top >> 57;
  }
  static V reduce(Wide p) {
    fold(p, 1);
    fold(p, 0);
    return {p.words[0], p.words[1]};
  }
};

#include "ring/gf128_core.h"
}  // namespace

constinit const Gf128Kernels* const kGf128Portable = &kKernels;

}  // namespace petcore::ring
