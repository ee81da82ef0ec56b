// The loops that every vector target shares. Included once, inside a target region, by a file whose
// anonymous namespace has the type Lane of the PRG's target and a type Bits with
//   both(x, y), without(x, y)   x & y, ~x & y
//   spread(x)                   the top bit of every block in all of its bits
#pragma once

using prg::kBlockBytes;
using prg::kRounds;

#include "prg/prg_flight.h"

// The hash of crh.h, its tweaks at `numbers` and `level`.
inline __attribute__((always_inline)) void hash_flight(V* x, const V* keys,
                                                       const std::byte* numbers, V level) {
  V once[kFlight];
  encrypt_flight(x, keys);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) {
    once[i] = x[i];
    const V tweak = Lane::exclusive_or(Lane::load(numbers + i * sizeof(V)), level);
    x[i] = Lane::exclusive_or(x[i], tweak);
  }
  encrypt_flight(x, keys);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) x[i] = Lane::exclusive_or(x[i], once[i]);
}

inline V level_of(const Hashing& hashing) {
  return Lane::key(reinterpret_cast<const std::byte*>(hashing.level));
}

void hash(const Hashing& hashing, Tile& out, const Tile& in, std::size_t num_keys) {
  V keys[kRounds + 1];
  load_keys(keys, hashing.schedule);
  const V level = level_of(hashing);
  for (std::size_t at = 0; at < num_keys * kBlockBytes; at += kFlight * sizeof(V)) {
    V x[kFlight];
    load_flight(x, in.bytes() + at);
    hash_flight(x, keys, hashing.numbers.bytes() + at, level);
    store_flight(out.bytes() + at, x);
  }
}

void descend(const Hashing& hashing, Tile& node, Tile& path, Tile& sum,
             const std::byte* corrections, std::size_t num_keys) {
  V keys[kRounds + 1];
  load_keys(keys, hashing.schedule);
  const V level = level_of(hashing);
  for (std::size_t at = 0; at < num_keys * kBlockBytes; at += kFlight * sizeof(V)) {
    V child[kFlight];
    const std::byte* numbers = hashing.numbers.bytes() + at;
    std::byte *nodes = node.bytes() + at, *paths = path.bytes() + at, *sums = sum.bytes() + at;
    load_flight(child, nodes);
    hash_flight(child, keys, numbers, level);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kFlight; ++i) {
      const std::size_t b = i * sizeof(V);
      const V parent = Lane::load(nodes + b), way = Lane::load(paths + b);
      const V right = Bits::spread(way);
      const V correction = Bits::both(Bits::spread(parent), Lane::load(corrections + at + b));
      const V left = Lane::exclusive_or(child[i], correction);
      const V next = Lane::exclusive_or(left, Bits::both(parent, right));
      const V sibling = Lane::exclusive_or(next, parent);
      const V sum_so_far = Lane::load(sums + b);
      Lane::store(sums + b, Lane::exclusive_or(sum_so_far, Bits::without(right, sibling)));
      Lane::store(paths + b, Lane::add(way, way));
      Lane::store(nodes + b, next);
    }
  }
}

void correct(const Hashing& hashing, Tile& node, Tile& path, const Tile& delta,
             std::byte* corrections, std::size_t num_keys) {
  V keys[kRounds + 1];
  load_keys(keys, hashing.schedule);
  const V level = level_of(hashing);
  for (std::size_t at = 0; at < num_keys * kBlockBytes; at += kFlight * sizeof(V)) {
    V mine[kFlight], theirs[kFlight];
    const std::byte* numbers = hashing.numbers.bytes() + at;
    std::byte *nodes = node.bytes() + at, *paths = path.bytes() + at;
    const std::byte* deltas = delta.bytes() + at;
    load_flight(mine, nodes);
    for (std::size_t i = 0; i < kFlight; ++i)
      theirs[i] = Lane::exclusive_or(mine[i], Lane::load(deltas + i * sizeof(V)));
    hash_flight(mine, keys, numbers, level);
    hash_flight(theirs, keys, numbers, level);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kFlight; ++i) {
      const std::size_t b = i * sizeof(V);
      const V parent = Lane::load(nodes + b), way = Lane::load(paths + b);
      const V right = Bits::spread(way);
      const V correction = Lane::exclusive_or(Lane::exclusive_or(mine[i], theirs[i]),
                                              Bits::without(right, Lane::load(deltas + b)));
      Lane::store(corrections + at + b, correction);
      const V left = Lane::exclusive_or(mine[i], Bits::both(Bits::spread(parent), correction));
      Lane::store(nodes + b, Lane::exclusive_or(left, Bits::both(parent, right)));
      Lane::store(paths + b, Lane::add(way, way));
    }
  }
}

constexpr Kernels kKernels = {hash, descend, correct};
