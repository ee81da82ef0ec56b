#include <algorithm>
#include <cstring>

#include "bits/bits_kernels.h"

namespace petcore::bits {
namespace {

void pack(Word* out, const std::uint8_t* in, std::size_t num_bits) {
  for (std::size_t i = 0; i < num_bits; i += 64) {
    Word word = 0;
    for (std::size_t j = 0; j < std::min<std::size_t>(64, num_bits - i); ++j)
      word |= static_cast<Word>(in[i + j] & 1) << j;
    out[i / 64] = word;
  }
}

void unpack(std::uint8_t* out, const Word* in, std::size_t num_bits) {
  for (std::size_t i = 0; i < num_bits; ++i)
    out[i] = static_cast<std::uint8_t>((in[i / 64] >> (i % 64)) & 1);
}

void transpose_block(Word* x) {
  Word mask = 0x00000000ffffffffULL;
  for (unsigned half = 32; half != 0; half >>= 1, mask ^= mask << half) {
    for (unsigned i = 0; i < 64; i = ((i | half) + 1) & ~half) {
      const Word swap = ((x[i] >> half) ^ x[i | half]) & mask;
      x[i | half] ^= swap;
      x[i] ^= swap << half;
    }
  }
}

void transpose(Word* out, const Word* in, std::size_t rows, std::size_t columns) {
  const std::size_t in_stride = (columns + 63) / 64, out_stride = (rows + 63) / 64;
  for (std::size_t r = 0; r < rows; r += 64)
    for (std::size_t c = 0; c < columns; c += 64) {
      Word block[64] = {};
      const std::size_t height = std::min<std::size_t>(64, rows - r);
      const std::size_t width = std::min<std::size_t>(64, columns - c);
      for (std::size_t i = 0; i < height; ++i) block[i] = in[(r + i) * in_stride + c / 64];
      transpose_block(block);
      for (std::size_t i = 0; i < width; ++i) out[(c + i) * out_stride + r / 64] = block[i];
    }
}

constexpr Kernels kKernels = {pack, unpack, transpose};

}  // namespace

constinit const Kernels* const kPortable = &kKernels;

}  // namespace petcore::bits
