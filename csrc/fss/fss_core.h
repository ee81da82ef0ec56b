// The loops that every vector target shares. Included once, inside a target region, by a file whose
// anonymous namespace has the type Lane of the PRG's target and a type Bits with
//   both(x, y), without(x, y)   x & y, ~x & y
//   spread(x)                   the top bit of every block in all of its bits
#pragma once

using prg::kBlockBytes;
using prg::kRounds;

#include "prg/prg_flight.h"

void descend(const Hashing& hashing, Tile& node, Tile& path, Tile& sum,
             const std::byte* corrections, std::size_t num_keys) {
  V keys[kRounds + 1];
  load_keys(keys, hashing.schedule);
  V tweak = Lane::counters(hashing.tweak_low, hashing.tweak_high);
  for (std::size_t g = 0; g * kGroup < num_keys; ++g, corrections += kFlight * sizeof(V)) {
    V child[kFlight];
    const std::size_t at = g * kFlight * sizeof(V);
    std::byte *nodes = node.bytes() + at, *paths = path.bytes() + at, *sums = sum.bytes() + at;
    load_flight(child, nodes);
    hash_flight(child, keys, tweak);
    tweak = Lane::advance(tweak, kGroup);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kFlight; ++i) {
      const std::size_t b = i * sizeof(V);
      const V parent = Lane::load(nodes + b), way = Lane::load(paths + b);
      const V right = Bits::spread(way);
      const V correction = Bits::both(Bits::spread(parent), Lane::load(corrections + b));
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
  V tweak = Lane::counters(hashing.tweak_low, hashing.tweak_high);
  for (std::size_t g = 0; g * kGroup < num_keys; ++g, corrections += kFlight * sizeof(V)) {
    V mine[kFlight], theirs[kFlight];
    const std::size_t at = g * kFlight * sizeof(V);
    std::byte *nodes = node.bytes() + at, *paths = path.bytes() + at;
    const std::byte* deltas = delta.bytes() + at;
    load_flight(mine, nodes);
    for (std::size_t i = 0; i < kFlight; ++i)
      theirs[i] = Lane::exclusive_or(mine[i], Lane::load(deltas + i * sizeof(V)));
    hash_flight(mine, keys, tweak);
    hash_flight(theirs, keys, tweak);
    tweak = Lane::advance(tweak, kGroup);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kFlight; ++i) {
      const std::size_t b = i * sizeof(V);
      const V parent = Lane::load(nodes + b), way = Lane::load(paths + b);
      const V right = Bits::spread(way);
      const V correction = Lane::exclusive_or(Lane::exclusive_or(mine[i], theirs[i]),
                                              Bits::without(right, Lane::load(deltas + b)));
      Lane::store(corrections + b, correction);
      const V left = Lane::exclusive_or(mine[i], Bits::both(Bits::spread(parent), correction));
      Lane::store(nodes + b, Lane::exclusive_or(left, Bits::both(parent, right)));
      Lane::store(paths + b, Lane::add(way, way));
    }
  }
}

constexpr Kernels kKernels = {descend, correct};
