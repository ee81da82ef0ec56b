#include "psi/cuckoo.h"

#include <algorithm>

#include "base/error.h"
#include "hash/mmo.h"

namespace petcore::psi {
namespace {

constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
constexpr unsigned kEvictionsMax = 100'000;
constexpr unsigned kSliceBits = 42;  // of a block, for one choice; off from uniform by bins / 2^42

// slice_of takes 42 of a block's bits to a number below n.
std::uint64_t slice_of(Block block, unsigned j, std::uint64_t n) {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kSliceBits) - 1;
  const std::uint64_t bits =
      j == 0   ? block.low & kMask
      : j == 1 ? (block.low >> kSliceBits | block.high << (64 - kSliceBits)) & kMask
               : block.high >> (64 - kSliceBits);
  __extension__ using uint128 = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<uint128>(bits) * n >> kSliceBits);
}

// choose draws the second and the third bin among those that are left.
Choices choose(Block block, std::uint64_t bins) {
  Choices out = {slice_of(block, 0, bins), slice_of(block, 1, bins - 1),
                 slice_of(block, 2, bins - 2)};
  if (out[1] >= out[0]) ++out[1];
  const std::uint64_t low = std::min(out[0], out[1]), high = std::max(out[0], out[1]);
  if (out[2] >= low) ++out[2];
  if (out[2] >= high) ++out[2];
  return out;
}

}  // namespace

Buffer<Choices> choose_bins(std::span<const Block> digests, const prg::Seed& seed,
                            std::size_t bins) {
  check(bins >= kChoices, Code::usage, "three choices need three bins");
  Buffer<Block> hashed(digests.size());
  const hash::Mmo hash(seed);
  hash(hashed.span(), digests);
  Buffer<Choices> out(digests.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = choose(hashed[i], bins);
  return out;
}

// A random walk: an id that finds its bin taken takes it, and who was there moves on.
Buffer<std::uint64_t> cuckoo_table(std::span<const Block> digests, const prg::Seed& seed,
                                   std::size_t bins) {
  const Buffer<Choices> choices = choose_bins(digests, seed, bins);
  Buffer<std::uint64_t> table(bins);
  std::fill(table.begin(), table.end(), kEmpty);
  const prg::Prg walk(prg::random_seed());
  std::array<std::uint64_t, 512> drawn;
  std::uint64_t steps = 0;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    std::uint64_t item = i, from = kEmpty;
    for (unsigned moves = 0; item != kEmpty; ++moves) {
      check(moves < kEvictionsMax, Code::internal, "no cuckoo table was found for these ids");
      const Choices& own = choices[item];
      const auto free = std::find_if(own.begin(), own.end(),
                                     [&](std::uint64_t bin) { return table[bin] == kEmpty; });
      std::uint64_t to = free == own.end() ? kEmpty : *free;
      while (to == kEmpty || to == from) {
        if (steps % drawn.size() == 0) walk.fill_words(drawn, steps);
        to = own[drawn[steps++ % drawn.size()] % kChoices];
      }
      std::swap(table[to], item);
      from = to;
    }
  }
  return table;
}

}  // namespace petcore::psi
