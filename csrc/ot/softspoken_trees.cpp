#include "ot/softspoken_trees.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "group/expand.h"
#include "prg/prg.h"

namespace petcore::ot {
namespace {

using prg::Seed;
using Check = std::array<std::byte, 32>;
constexpr std::size_t kSumBytes = 2 * sizeof(Seed);  // left and right of one level

// Nodes are the seeds of one level.
using Nodes = Buffer<Seed>;

Seed seed_of(Block x) {
  Seed seed;
  std::memcpy(seed.data(), &x, sizeof(seed));
  return seed;
}

template <std::size_t kSize>
void add_into(std::array<std::byte, kSize>& x, const std::array<std::byte, kSize>& y,
              std::byte mask = std::byte{0xff}) {
  for (std::size_t i = 0; i < kSize; ++i) x[i] ^= y[i] & mask;
}

// mask_if is all ones where two numbers below 2^32 agree.
std::byte mask_if(std::uint64_t x, std::uint64_t y) {
  return static_cast<std::byte>(0 - (((x ^ y) - 1) >> 63));
}

template <std::size_t kSize>
void keep_unless(std::byte mask, std::array<std::byte, kSize>& x) {
  for (std::byte& byte : x) byte &= ~mask;
}

Nodes children(const Nodes& parents) {
  Nodes out(2 * parents.size());
  for (std::size_t i = 0; i < parents.size(); ++i)
    prg::Prg(parents[i]).fill(std::as_writable_bytes(std::span(&out[2 * i], 2)));
  return out;
}

// Leaves: the seeds of the streams and the values by which they are checked.
struct Leaves {
  Nodes seeds;
  Buffer<Check> checks;
};

Leaves leaves_of(const Nodes& last_level) {
  const std::size_t n = last_level.size();
  Leaves out{Nodes(n), Buffer<Check>(n)};
  Buffer<std::byte> both(sizeof(Seed) + sizeof(Check));
  for (std::size_t i = 0; i < n; ++i) {
    prg::Prg(last_level[i]).fill(both.span());
    std::memcpy(out.seeds[i].data(), both.data(), sizeof(Seed));
    std::memcpy(out.checks[i].data(), both.data() + sizeof(Seed), sizeof(Check));
  }
  return out;
}

std::array<Seed, 2> sums_of(const Nodes& level) {
  std::array<Seed, 2> sums{};
  for (std::size_t i = 0; i < level.size(); ++i) add_into(sums[i % 2], level[i]);
  return sums;
}

Check sum_of(const Buffer<Check>& checks) {
  Check sum{};
  for (const Check& check : checks) add_into(sum, check);
  return sum;
}

// digest_of binds all check values of all trees.
Check digest_of(const std::vector<Leaves>& trees) {
  std::vector<ConstBytes> parts;
  for (const Leaves& tree : trees) parts.push_back(std::as_bytes(tree.checks.span()));
  return group::sha256(parts);
}

// grow gives the next level without the unknown node: its parent is number `path` and unknown too
// (zero), its sibling follows from the sum of all nodes on that side.
Nodes grow(const Nodes& parents, std::uint64_t path, std::uint64_t bit, const Seed& side_sum) {
  Nodes level = children(parents);
  for (std::size_t i = 0; i < level.size(); ++i) keep_unless(mask_if(i / 2, path), level[i]);
  const std::uint64_t side = bit ^ 1;
  Seed sibling = side_sum;
  for (std::size_t i = 0; i < level.size(); ++i) add_into(sibling, level[i], mask_if(i % 2, side));
  for (std::size_t i = 0; i < level.size(); ++i)
    add_into(level[i], sibling, mask_if(i, 2 * path + side));
  wipe(sibling.data(), sibling.size());
  return level;
}

// renumber moves seed x to x ^ path.
void renumber(Nodes& seeds, std::uint64_t path) {
  for (std::size_t step = 1; step < seeds.size(); step *= 2) {
    const std::byte mask = mask_if(path / step % 2, 1);
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      if ((i & step) != 0) continue;
      for (std::size_t b = 0; b < sizeof(Seed); ++b) {
        const std::byte change = (seeds[i][b] ^ seeds[i | step][b]) & mask;
        seeds[i][b] ^= change;
        seeds[i | step][b] ^= change;
      }
    }
  }
}

std::uint64_t delta_bits(Block delta, std::size_t begin, unsigned count) {
  __extension__ using uint128 = unsigned __int128;
  const uint128 all = delta.low | static_cast<uint128>(delta.high) << 64;
  return static_cast<std::uint64_t>(all >> begin) & ((std::uint64_t{1} << count) - 1);
}

}  // namespace

std::vector<unsigned> tree_bits(unsigned k) {
  check(k >= 2 && k <= 8, Code::usage, "SoftSpokenOT takes 2 to 8 bits of delta together");
  std::vector<unsigned> out(kDeltaBits / k, k);
  if (kDeltaBits % k != 0) out.push_back(kDeltaBits % k);
  return out;
}

std::size_t tree_message_bytes(unsigned k) {
  return BaseSender::kAnswerBytes + kDeltaBits * kSumBytes +
         (tree_bits(k).size() + 1) * sizeof(Check);
}

// The base OT of level l of a tree, counted from the root, is that of the bit which the level
// decides: the highest first.
Trees make_trees(unsigned k, ConstBytes offer, ConstBytes label, Pool& pool) {
  const BaseSender base(pool);
  const Buffer<Block> keys = base.keys(offer, label);
  Trees out;
  out.message.resize(tree_message_bytes(k));
  const Bytes message(out.message);
  base.answer(message.first(BaseSender::kAnswerBytes));
  Bytes sums = message.subspan(BaseSender::kAnswerBytes, kDeltaBits * kSumBytes);
  Bytes checks = message.subspan(BaseSender::kAnswerBytes + sums.size());
  std::vector<Leaves> trees;
  std::size_t begin = 0;
  for (const unsigned depth : tree_bits(k)) {
    Nodes level(1);
    level[0] = prg::random_seed();
    for (unsigned l = 1; l <= depth; ++l) {
      level = children(level);
      const std::size_t ot = begin + depth - l;
      std::array<Seed, 2> both = sums_of(level);
      for (std::size_t side = 0; side < 2; ++side)
        add_into(both[side], seed_of(keys[2 * ot + side]));
      std::memcpy(&sums[ot * kSumBytes], both.data(), kSumBytes);
    }
    trees.push_back(leaves_of(level));
    out.bundles.emplace_back(trees.back().seeds.span());
    const Check sum = sum_of(trees.back().checks);
    std::memcpy(checks.data(), sum.data(), sizeof(Check));
    checks = checks.subspan(sizeof(Check));
    begin += depth;
  }
  const Check digest = digest_of(trees);
  std::memcpy(checks.data(), digest.data(), sizeof(Check));
  return out;
}

BaseReceiver choose_offer(Block delta, ConstBytes label, Pool& pool) {
  const std::array<std::uint64_t, 2> choices = {~delta.low, ~delta.high};
  return {choices, kDeltaBits, label, pool};
}

std::vector<prg::Bundle> open_trees(unsigned k, Block delta, const BaseReceiver& base,
                                    ConstBytes message) {
  check(message.size() == tree_message_bytes(k), Code::usage, "trees of another size");
  const Buffer<Block> keys = base.keys(message.first(BaseSender::kAnswerBytes));
  const ConstBytes sums = message.subspan(BaseSender::kAnswerBytes, kDeltaBits * kSumBytes);
  ConstBytes checks = message.subspan(BaseSender::kAnswerBytes + sums.size());
  std::vector<Leaves> trees;
  std::vector<prg::Bundle> out;
  std::size_t begin = 0;
  for (const unsigned depth : tree_bits(k)) {
    const std::uint64_t path = delta_bits(delta, begin, depth);
    Nodes level(1);
    level[0] = {};
    for (unsigned l = 1; l <= depth; ++l) {
      const std::size_t ot = begin + depth - l;
      const std::uint64_t bit = path >> (depth - l) & 1;
      Seed chosen{};
      for (std::size_t side = 0; side < 2; ++side) {
        Seed offered;
        std::memcpy(offered.data(), &sums[ot * kSumBytes + side * sizeof(Seed)], sizeof(Seed));
        add_into(chosen, offered, mask_if(side, bit ^ 1));
      }
      add_into(chosen, seed_of(keys[ot]));
      level = grow(level, path >> (depth - l + 1), bit, chosen);
      wipe(chosen.data(), chosen.size());
    }
    Leaves leaves = leaves_of(level);
    for (std::size_t i = 0; i < leaves.seeds.size(); ++i) {
      keep_unless(mask_if(i, path), leaves.seeds[i]);
      keep_unless(mask_if(i, path), leaves.checks[i]);
    }
    Check missing = sum_of(leaves.checks), sum;
    std::memcpy(sum.data(), checks.data(), sizeof(Check));
    add_into(missing, sum);
    for (std::size_t i = 0; i < leaves.checks.size(); ++i)
      add_into(leaves.checks[i], missing, mask_if(i, path));
    renumber(leaves.seeds, path);
    out.emplace_back(leaves.seeds.span(), true);
    trees.push_back(std::move(leaves));
    checks = checks.subspan(sizeof(Check));
    begin += depth;
  }
  const Check digest = digest_of(trees);
  check(CRYPTO_memcmp(digest.data(), checks.data(), sizeof(Check)) == 0, Code::correlation,
        "the peer's seeds do not form trees");
  return out;
}

}  // namespace petcore::ot
