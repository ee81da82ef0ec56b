#include "prg/bundle.h"

#include <bit>
#include <limits>

#include "base/error.h"
#include "prg/prg_kernels.h"

namespace petcore::prg {

Bundle::Bundle(std::span<const Seed> seeds, bool skip_first, std::string_view target)
    : kernels_(&choose(target)),
      num_bits_(static_cast<unsigned>(std::bit_width(seeds.size())) - 1),
      skip_first_(skip_first) {
  check(std::has_single_bit(seeds.size()) && num_bits_ >= 1 && num_bits_ <= kFoldBitsMax,
        Code::usage, "a bundle has 2, 4, 8, ... or 256 streams");
  schedules_ = Buffer<std::byte>(seeds.size() * kScheduleBytes);
  for (std::size_t i = 0; i < seeds.size(); ++i)
    kernels_->expand(schedules_.data() + i * kScheduleBytes, seeds[i].data());
}

void Bundle::fold(Bytes sum, Bytes of_bits, std::size_t stride, std::size_t num_blocks,
                  std::uint64_t first_block) const {
  if (num_blocks == 0) return;
  const std::size_t row = num_blocks * kBlockBytes;
  check(sum.empty() || sum.size() == row, Code::usage, "a bundle's sum has another size");
  check(stride >= row && of_bits.size() >= (num_bits_ - 1) * stride + row, Code::usage,
        "a bundle's rows do not fit");
  check(num_blocks - 1 <= std::numeric_limits<std::uint64_t>::max() - first_block, Code::usage,
        "the block counter of a bundle would wrap around");
  kernels_->fold({.schedules = schedules_.data(),
                  .num_bits = num_bits_,
                  .skip_first = skip_first_,
                  .num_blocks = num_blocks,
                  .high = 0,
                  .low = first_block,
                  .sum = sum.empty() ? nullptr : sum.data(),
                  .of_bits = of_bits.data(),
                  .stride = stride});
}

}  // namespace petcore::prg
