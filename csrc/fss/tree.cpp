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
  Tile node, path, sum, delta, scratch;

  ~Walk() { wipe(this, sizeof *this); }

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

struct Schedule {
  alignas(16) std::array<std::byte, prg::kScheduleBytes> bytes;

  explicit Schedule(const prg::Kernels& aes) { hash::expand_fixed_key(bytes.data(), aes); }
};

std::uint64_t tweak_high(Label label, unsigned level) { return label.id << 8 | level; }

// pattern is the block of a leaf whose position j holds the value for x = j: with secret `low`, so
// without branches. Below: ones under position low.
void pattern(std::uint64_t* out, std::uint64_t low, Form form) {
  const std::uint64_t shift = low & 63, upper = 0 - (low >> 6 & 1);
  const std::uint64_t bit = std::uint64_t{1} << shift;
  const std::uint64_t held = form == Form::point ? bit : bit - 1;
  out[0] = (held & ~upper) | (form == Form::below ? upper : 0);
  out[1] = held & upper;
}

std::uint64_t leaf_position(std::uint64_t x, unsigned bits) {
  const unsigned kept = std::min(bits, kLeafBits);
  return x & ((std::uint64_t{1} << kept) - 1);
}

struct Job {
  const Target& target;
  const Schedule& schedule;
  Shape shape;
  Label label;  // first: of the tile

  Hashing hashing(unsigned level) const {
    return {schedule.bytes.data(), tweak_high(label, level), label.first};
  }
  void hash_leaf(Tile& out, const Tile& in, std::size_t n) const {
    const Hashing h = hashing(shape.levels());
    target.aes.hash(h.schedule, out.bytes(), in.bytes(), n, h.tweak_high, h.tweak_low);
  }
};

void make_tile(const Job& job, Walk& walk, Words keys, ConstWords alpha, ConstWords roots0,
               ConstWords roots1) {
  const std::size_t n = alpha.size(), level_words = kBlockWords * n;
  Walk::plant(walk.node, roots0, 0);
  Walk::plant(walk.delta, roots1, 1);
  for (std::size_t i = 0; i < level_words; ++i) walk.delta.words[i] ^= walk.node.words[i];
  walk.aim(alpha, job.shape.bits);
  std::uint64_t* out = keys.data();
  for (unsigned level = 0; level < job.shape.levels(); ++level, out += level_words) {
    std::byte* to = n == kTile ? reinterpret_cast<std::byte*>(out) : walk.scratch.bytes();
    job.target.kernels.correct(job.hashing(level), walk.node, walk.path, walk.delta, to, n);
    if (n != kTile) std::memcpy(out, to, level_words * sizeof *out);
  }
  for (std::size_t i = 0; i < level_words; ++i) walk.delta.words[i] ^= walk.node.words[i];
  job.hash_leaf(walk.node, walk.node, n);
  job.hash_leaf(walk.delta, walk.delta, n);
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t value[kBlockWords];
    pattern(value, leaf_position(alpha[i], job.shape.bits), job.shape.form);
    for (std::size_t w = 0; w < kBlockWords; ++w)
      out[kBlockWords * i + w] = walk.node.block(i)[w] ^ walk.delta.block(i)[w] ^ value[w];
  }
}

// The shares of a tile, packed into one word.
std::uint64_t evaluate_tile(const Job& job, Walk& walk, ConstWords x, int party, ConstWords roots,
                            ConstWords keys) {
  const std::size_t n = x.size(), level_words = kBlockWords * n;
  Walk::plant(walk.node, roots, party);
  walk.aim(x, job.shape.bits);
  const std::uint64_t* from = keys.data();
  for (unsigned level = 0; level < job.shape.levels(); ++level, from += level_words) {
    if (n != kTile) std::memcpy(walk.scratch.bytes(), from, level_words * sizeof *from);
    const std::byte* corrections =
        n == kTile ? reinterpret_cast<const std::byte*>(from) : walk.scratch.bytes();
    job.target.kernels.descend(job.hashing(level), walk.node, walk.path, walk.sum, corrections, n);
  }
  job.hash_leaf(walk.scratch, walk.node, n);
  std::uint64_t packed = 0;
  const bool below = job.shape.form == Form::below;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t position = leaf_position(x[i], job.shape.bits), word = position >> 6;
    const std::uint64_t control = 0 - (walk.node.block(i)[1] >> 63);
    const std::uint64_t leaf =
        walk.scratch.block(i)[word] ^ (control & from[kBlockWords * i + word]);
    const std::uint64_t above = below ? walk.sum.block(i)[1] >> 63 : 0;
    packed |= ((leaf >> (position & 63) & 1) ^ above) << i;
  }
  return packed;
}

void check_sizes(Shape shape, Label label, std::size_t n, ConstWords keys, ConstWords roots) {
  check(shape.bits >= 1 && shape.bits <= 64, Code::usage, "a key is for 1 to 64 bits");
  check(label.id >> 56 == 0, Code::usage, "the id of keys has more than 56 bits");
  check(keys.size() == n * shape.key_words() && roots.size() == n * kBlockWords, Code::usage,
        "keys, roots and numbers do not fit each other");
}

// for_tiles calls run(job, begin, size) for every tile.
template <class F>
void for_tiles(std::size_t n, Shape shape, Label label, std::string_view name, F&& run) {
  const Target target = choose(name);
  const Schedule schedule(target.aes);
  for (std::size_t begin = 0; begin < n; begin += kTile)
    run(Job{target, schedule, shape, {label.id, label.first + begin}}, begin,
        std::min(kTile, n - begin));
}

}  // namespace

void make(Words keys, ConstWords alpha, ConstWords roots0, ConstWords roots1, Shape shape,
          Label label, std::string_view target) {
  check_sizes(shape, label, alpha.size(), keys, roots0);
  check_sizes(shape, label, alpha.size(), keys, roots1);
  const std::size_t words = shape.key_words();
  Walk walk;
  for_tiles(
      alpha.size(), shape, label, target, [&](const Job& job, std::size_t begin, std::size_t size) {
        make_tile(job, walk, keys.subspan(begin * words, size * words), alpha.subspan(begin, size),
                  roots0.subspan(kBlockWords * begin, kBlockWords * size),
                  roots1.subspan(kBlockWords * begin, kBlockWords * size));
      });
}

void evaluate(Words out, ConstWords x, int party, ConstWords roots, ConstWords keys, Shape shape,
              Label label, std::string_view target) {
  check_sizes(shape, label, x.size(), keys, roots);
  check(party == 0 || party == 1, Code::usage, "a key belongs to party 0 or 1");
  check(out.size() == bits::num_words(x.size()), Code::usage, "shares do not fit the numbers");
  const std::size_t words = shape.key_words();
  Walk walk;
  for_tiles(
      x.size(), shape, label, target, [&](const Job& job, std::size_t begin, std::size_t size) {
        out[begin / kTile] = evaluate_tile(job, walk, x.subspan(begin, size), party,
                                           roots.subspan(kBlockWords * begin, kBlockWords * size),
                                           keys.subspan(begin * words, size * words));
      });
}

}  // namespace petcore::fss
