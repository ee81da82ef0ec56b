#include "bits/bits_kernels.h"

namespace petcore::bits {
namespace {

struct Lane {
  using V = Word;
  static constexpr std::size_t kWords = 1;

  static Word tops(V x) { return x >> 63; }

  // Eight bytes at a time: the product adds the byte at position i, shifted to bit 56 + i.
  static Word pack64(const std::uint8_t* in) {
    Word packed = 0;
    for (unsigned i = 0; i < 8; ++i) {
      Word bytes;
      __builtin_memcpy(&bytes, in + 8 * i, 8);
      const Word gathered = (bytes & 0x0101010101010101) * 0x0102040810204080;
      packed |= (gathered >> 56) << (8 * i);
    }
    return packed;
  }

  // Byte i of the copies keeps bit i; adding 0x7f moves any bit to the top without a carry.
  static void unpack64(std::uint8_t* out, Word word) {
    for (unsigned i = 0; i < 8; ++i) {
      const Word copies = ((word >> (8 * i)) & 0xff) * 0x0101010101010101;
      const Word kept = copies & 0x8040201008040201;
      const Word bits = ((kept + 0x7f7f7f7f7f7f7f7f) >> 7) & 0x0101010101010101;
      __builtin_memcpy(out + 8 * i, &bits, 8);
    }
  }
};

#include "bits/bits_core.h"

#include "bits/gates_core.h"

#include "bits/flags_core.h"
}  // namespace

constinit const Kernels* const kPortable = &kKernels;

}  // namespace petcore::bits
