// Look-ups in tables of sixteen.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "bits/bits.h"
#include "ot/pads.h"
#include "ot/products_state.h"
#include "ot/sixteen.h"

namespace petcore::ot {
namespace {

constexpr std::size_t kPerBlock = std::size_t{1} << 12;  // look-ups

struct Lookups {
  std::size_t n;
  unsigned width;

  std::size_t blocks() const { return (n + kPerBlock - 1) / kPerBlock; }
  Part block(std::size_t i) const {
    return {i * kPerBlock, std::min(kPerBlock, n - i * kPerBlock)};
  }
  // at is slice s of a block.
  template <class ASpan>
  ASpan at(ASpan slices, const Part& block, std::size_t s) const {
    return slices.subspan(s * bits::num_words(n) + block.begin / 64, bits::num_words(block.n));
  }
};

template <class Direction>
Direction lookups_half(const Lookups& lookups) {
  Direction half;
  half.num_blocks = lookups.blocks();
  half.transfers = [=](std::size_t i) {
    return kIndexBits * 64 * bits::num_words(lookups.block(i).n);
  };
  half.bytes = [=](std::size_t i) {
    return (kEntries - 1) * lookups.width * bits::num_words(lookups.block(i).n) * 8;
  };
  return half;
}

// PadSlices: the lowest bits of pads, as slices.
class PadSlices {
 public:
  PadSlices(std::size_t n, unsigned width) : width_(width), slices_(width * bits::num_words(n)) {}

  Words of(std::span<const Block> x, Block offset, hash::Tweak first) {
    bits::to_slices(slices_.span(), pads_.low_words(x, offset, first), width_);
    return slices_.span();
  }

 private:
  unsigned width_;
  Pads pads_;
  Buffer<std::uint64_t> slices_;
};

Sending send_tables(const Lookups& lookups, const Products::Owned& owned, Block delta) {
  auto half = lookups_half<Sending>(lookups);
  half.correct = [=](std::size_t i, std::span<const Block> q, hash::Tweak first, Bytes wire) {
    const Part block = lookups.block(i);
    const std::size_t words = bits::num_words(block.n);
    const Buffer<Block> base = join(q);
    PadSlices slices(base.size(), lookups.width);
    auto* to = reinterpret_cast<std::uint64_t*>(wire.data());
    const std::array<Block, kEntries> multiples = multiples_of(delta);
    for (std::size_t v = 0; v < kEntries; ++v) {
      const Words pad = slices.of(base.span(), multiples[v], first);
      for (unsigned w = 0; w < lookups.width; ++w) {
        const Words share = lookups.at(owned.out, block, w);
        const ConstWords entry = lookups.at(owned.tables, block, v * lookups.width + w);
        for (std::size_t j = 0; j < words; ++j) {
          const std::uint64_t masked = pad[w * words + j] ^ entry[j];
          if (v == 0)
            share[j] = masked;
          else
            *to++ = masked ^ share[j];
        }
      }
    }
  };
  return half;
}

Receiving ask_tables(const Lookups& lookups, const Products::Asked& asked) {
  auto half = lookups_half<Receiving>(lookups);
  half.choose = [=](std::size_t i, Words choices) {
    const Part block = lookups.block(i);
    for (std::size_t b = 0; b < kIndexBits; ++b)
      std::ranges::copy(lookups.at(asked.indices, block, b),
                        choices.begin() + static_cast<std::ptrdiff_t>(b * choices.size() / 4));
  };
  half.take = [=](std::size_t i, std::span<const Block> t, hash::Tweak first, ConstBytes wire) {
    const Part block = lookups.block(i);
    const std::size_t words = bits::num_words(block.n);
    const Buffer<Block> base = join(t);
    PadSlices slices(base.size(), lookups.width);
    const Words pad = slices.of(base.span(), {}, first);
    for (unsigned w = 0; w < lookups.width; ++w)
      std::ranges::copy(pad.subspan(w * words, words), lookups.at(asked.out, block, w).begin());
    const auto* from = reinterpret_cast<const std::uint64_t*>(wire.data());
    Buffer<std::uint64_t> chosen(words);
    for (std::size_t v = 1; v < kEntries; ++v) {
      std::ranges::fill(chosen, ~std::uint64_t{0});
      for (std::size_t b = 0; b < kIndexBits; ++b) {
        const std::uint64_t unlike = (v >> b & 1) != 0 ? 0 : ~std::uint64_t{0};
        const ConstWords index = lookups.at(asked.indices, block, b);
        for (std::size_t j = 0; j < words; ++j) chosen[j] &= index[j] ^ unlike;
      }
      for (unsigned w = 0; w < lookups.width; ++w) {
        const Words share = lookups.at(asked.out, block, w);
        for (std::size_t j = 0; j < words; ++j) share[j] ^= chosen[j] & *from++;
      }
    }
  };
  return half;
}

void clear_tails(Words slices, std::size_t n) {
  if (n % 64 == 0) return;
  const std::size_t words = bits::num_words(n);
  for (std::size_t at = words - 1; at < slices.size(); at += words)
    slices[at] &= ~std::uint64_t{0} >> (64 - n % 64);
}

}  // namespace

void Products::lookups_16(const net::Step& step, const Owned& owned, const Asked& asked,
                          unsigned width) {
  check(width >= 1 && width <= 64, Code::usage, "lookups_16: entries have 1 to 64 bits");
  const std::size_t mine = bits::num_words(owned.n), theirs = bits::num_words(asked.n);
  check(owned.out.size() == width * mine && owned.tables.size() == kEntries * width * mine &&
            asked.out.size() == width * theirs && asked.indices.size() == kIndexBits * theirs,
        Code::usage, "lookups_16: sizes differ");
  state_->flow.run(step, send_tables({owned.n, width}, owned, state_->flow.delta()),
                   ask_tables({asked.n, width}, asked));
  clear_tails(owned.out, owned.n);
  clear_tails(asked.out, asked.n);
}

}  // namespace petcore::ot
