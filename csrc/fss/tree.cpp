#include "fss/tree.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "bits/bits.h"
#include "fss/fss_kernels.h"
#include "hash/crh.h"

namespace petcore::fss {
namespace {

constexpr std::uint64_t kTop = std::uint64_t{1} << 63;

// Walk: the state of one tile of keys on its way down.
struct Walk {
  const Target target;
  alignas(16) std::array<std::byte, prg::kScheduleBytes> schedule;
  Tile numbers, node, path, sum, delta, scratch;

  explicit Walk(std::string_view name) : target(choose(name)) {
    hash::expand_fixed_key(schedule.data(), target.aes);
  }
  ~Walk() {
    for (Tile* tile : {&node, &path, &sum, &delta, &scratch}) wipe(tile, sizeof *tile);
  }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  Hashing hashing(unsigned level) const { return {schedule.data(), numbers, {0, level}}; }

  void number(ConstWords from) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      numbers.block(i)[0] = from[i] & ~kTop;
      numbers.block(i)[1] = 0;
    }
  }
  // The roots of a party, its control bit on top.
  static void plant(Tile& tile, ConstWords roots, int party) {
    std::memcpy(tile.words, roots.data(), roots.size_bytes());
    for (std::size_t i = 0; i < roots.size() / kBlockWords; ++i) {
      std::uint64_t& top = tile.block(i)[1];
      top = (top & ~kTop) | (party == 1 ? kTop : 0);
    }
  }
  // The bit that decides the first level on top.
  void aim(ConstWords x, unsigned bits) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      path.block(i)[0] = 0;
      path.block(i)[1] = x[i] << (64 - bits);
      sum.block(i)[1] = 0;
    }
  }
};

// pattern is the block of a leaf whose position j holds the value for x = j: with secret `low`, so
// without branches. Below: ones under position low.
void pattern(std::uint64_t* out, std::uint64_t low, Form form) {
  const std::uint64_t upper = 0 - (low >> 6 & 1), bit = std::uint64_t{1} << (low & 63);
  const std::uint64_t held = form == Form::point ? bit : bit - 1;
  out[0] = (held & ~upper) | (form == Form::below ? upper : 0);
  out[1] = held & upper;
}

std::uint64_t leaf_position(std::uint64_t x, unsigned bits) {
  const unsigned kept = std::min(bits, kLeafBits);
  return x & ((std::uint64_t{1} << kept) - 1);
}

// Part: the keys of a batch that make up a tile.
struct Part {
  std::size_t begin, size;

  template <class Span>
  Span of(Span words) const {
    return words.subspan(begin, size);
  }
  template <class Span>
  Span blocks_of(Span words) const {
    return words.subspan(kBlockWords * begin, kBlockWords * size);
  }
  // The corrections of one level.
  template <class Span>
  Span level_of(const Batch<Span>& batch, unsigned level) const {
    const std::size_t row = kBlockWords * batch.numbers.size();
    return blocks_of(batch.corrections.subspan(level * row, row));
  }
};

template <class F>
void for_tiles(std::size_t n, F&& run) {
  for (std::size_t begin = 0; begin < n; begin += kTile)
    run(Part{begin, std::min(kTile, n - begin)});
}

void make_leaves(Walk& walk, Words out, ConstWords alpha, Shape shape) {
  for (std::size_t i = 0; i < out.size(); ++i) walk.delta.words[i] ^= walk.node.words[i];
  const Hashing hashing = walk.hashing(shape.levels());
  walk.target.kernels.hash(hashing, walk.node, walk.node, alpha.size());
  walk.target.kernels.hash(hashing, walk.delta, walk.delta, alpha.size());
  for (std::size_t i = 0; i < alpha.size(); ++i) {
    std::uint64_t* leaf = &out[kBlockWords * i];
    pattern(leaf, leaf_position(alpha[i], shape.bits), shape.form);
    for (std::size_t w = 0; w < kBlockWords; ++w)
      leaf[w] ^= walk.node.block(i)[w] ^ walk.delta.block(i)[w];
  }
}

void make_tile(Walk& walk, const Batch<Words>& batch, Part part, ConstWords alpha,
               ConstWords roots0, ConstWords roots1) {
  const Shape shape = batch.shape;
  walk.number(part.of(batch.numbers));
  Walk::plant(walk.node, roots0, 0);
  Walk::plant(walk.delta, roots1, 1);
  for (std::size_t i = 0; i < roots0.size(); ++i) walk.delta.words[i] ^= walk.node.words[i];
  walk.aim(alpha, shape.bits);
  const bool whole = part.size == kTile;  // kernels write whole tiles
  for (unsigned level = 0; level < shape.levels(); ++level) {
    const Words out = part.level_of(batch, level);
    std::byte* to = whole ? std::as_writable_bytes(out).data() : walk.scratch.bytes();
    walk.target.kernels.correct(walk.hashing(level), walk.node, walk.path, walk.delta, to,
                                part.size);
    if (!whole) std::memcpy(out.data(), to, out.size_bytes());
  }
  make_leaves(walk, part.level_of(batch, shape.levels()), alpha, shape);
}

// The shares of a tile, packed into one word.
std::uint64_t read_leaves(Walk& walk, ConstWords leaves, ConstWords x, Shape shape) {
  walk.target.kernels.hash(walk.hashing(shape.levels()), walk.scratch, walk.node, x.size());
  const std::uint64_t summed = shape.form == Form::below && shape.levels() > 0 ? 1 : 0;
  std::uint64_t packed = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint64_t position = leaf_position(x[i], shape.bits), word = position >> 6;
    const std::uint64_t control = 0 - (walk.node.block(i)[1] >> 63);
    const std::uint64_t leaf =
        walk.scratch.block(i)[word] ^ (control & leaves[kBlockWords * i + word]);
    const std::uint64_t above = walk.sum.block(i)[1] >> 63 & summed;
    packed |= ((leaf >> (position & 63) & 1) ^ above) << i;
  }
  return packed;
}

std::uint64_t evaluate_tile(Walk& walk, const Batch<ConstWords>& batch, Part part, ConstWords x,
                            int party, ConstWords roots) {
  const Shape shape = batch.shape;
  walk.number(part.of(batch.numbers));
  Walk::plant(walk.node, roots, party);
  walk.aim(x, shape.bits);
  for (unsigned level = 0; level < shape.levels(); ++level) {
    const ConstWords from = part.level_of(batch, level);
    const std::byte* corrections = std::as_bytes(from).data();
    if (part.size != kTile) {  // kernels read whole tiles
      std::memcpy(walk.scratch.words, from.data(), from.size_bytes());
      corrections = walk.scratch.bytes();
    }
    walk.target.kernels.descend(walk.hashing(level), walk.node, walk.path, walk.sum, corrections,
                                part.size);
  }
  return read_leaves(walk, part.level_of(batch, shape.levels()), x, shape);
}

template <class Span>
void check_sizes(const Batch<Span>& batch, std::size_t n, ConstWords roots) {
  check(batch.shape.bits >= 1 && batch.shape.bits <= 64, Code::usage, "a key is for 1 to 64 bits");
  check(batch.numbers.size() == n && roots.size() == n * kBlockWords &&
            batch.corrections.size() == n * kBlockWords * batch.shape.blocks(),
        Code::usage, "keys, roots and numbers do not fit each other");
}

}  // namespace

void make(const Batch<Words>& batch, ConstWords alpha, ConstWords roots0, ConstWords roots1,
          std::string_view target) {
  check_sizes(batch, alpha.size(), roots0);
  check_sizes(batch, alpha.size(), roots1);
  Walk walk(target);
  for_tiles(alpha.size(), [&](Part part) {
    make_tile(walk, batch, part, part.of(alpha), part.blocks_of(roots0), part.blocks_of(roots1));
  });
}

void evaluate(Words out, const Batch<ConstWords>& batch, ConstWords x, int party, ConstWords roots,
              std::string_view target) {
  check_sizes(batch, x.size(), roots);
  check(party == 0 || party == 1, Code::usage, "a key belongs to party 0 or 1");
  check(out.size() == bits::num_words(x.size()), Code::usage, "shares do not fit the numbers");
  Walk walk(target);
  for_tiles(x.size(), [&](Part part) {
    out[part.begin / kTile] =
        evaluate_tile(walk, batch, part, part.of(x), party, part.blocks_of(roots));
  });
}

}  // namespace petcore::fss
