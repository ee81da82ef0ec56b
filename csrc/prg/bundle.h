// Bundle: 2^k streams of AES-128-CTR whose sums are wanted, not the streams themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/buffer.h"
#include "prg/prg.h"

namespace petcore::prg {

class Bundle {
 public:
  // 2 to 256 seeds, a power of two of them (Code::usage otherwise). With skip_first the first one
  // stands for a stream of zeros.
  explicit Bundle(std::span<const Seed> seeds, bool skip_first = false,
                  std::string_view target = "");

  unsigned num_bits() const { return num_bits_; }

  // fold sums up (exclusive or) whole blocks of the streams, from first_block on: all of them into
  // sum, which may be empty, and those whose number has bit j into the row of_bits[j * stride ..]
  // of num_blocks blocks.
  void fold(Bytes sum, Bytes of_bits, std::size_t stride, std::size_t num_blocks,
            std::uint64_t first_block) const;

 private:
  const Kernels* kernels_;
  unsigned num_bits_;
  bool skip_first_;
  Buffer<std::byte> schedules_;
};

}  // namespace petcore::prg
