// The loops that every vector target of the PRG shares. Included once, inside a target region, by a
// file whose anonymous namespace defines a type Lane:
//   V, kBlocks                      a vector and the AES blocks it holds
//   load, store, key                unaligned memory; key r of a schedule in every block
//   store_around, fence             aligned memory, past the caches; after the last of them
//   exclusive_or, add, subtract     of 64-bit words
//   start, middle(.., r), finish    AES: before round 1, rounds 1 to 9, round 10
//   counters(low, high)             block i holds the words (low + i, high)
//   advance(v, n)                   adds n to the low word of every block
//   clear_last_byte(v)              the lowest byte of the word low of every block becomes 0
//   counter_block(v)                (high, low) as one big-endian number of 128 bits
#pragma once

using V = Lane::V;

// Enough registers in flight to hide the latency of an AES instruction.
constexpr std::size_t kFlight = 8;
constexpr std::size_t kGroup = kFlight * Lane::kBlocks;

inline void load_keys(V* keys, const std::byte* schedule) {
  for (std::size_t r = 0; r <= kRounds; ++r) keys[r] = Lane::key(schedule + r * kBlockBytes);
}

// rounds_from does the AES rounds kFirst to 10 of what has gone through the ones before.
template <std::size_t kFirst>
inline __attribute__((always_inline)) void rounds_from(V* x, const V* keys) {
#pragma GCC unroll 9
  for (std::size_t r = kFirst; r < kRounds; ++r)
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kFlight; ++i) x[i] = Lane::middle(x[i], keys, r);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) x[i] = Lane::finish(x[i], keys);
}

inline __attribute__((always_inline)) void encrypt_flight(V* x, const V* keys) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) x[i] = Lane::start(x[i], keys);
  rounds_from<1>(x, keys);
}

inline __attribute__((always_inline)) V first_round(V x, const V* keys) {
  return Lane::middle(Lane::start(x, keys), keys, 1);
}

inline __attribute__((always_inline)) void load_flight(V* x, const std::byte* in) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) x[i] = Lane::load(in + i * sizeof(V));
}

inline __attribute__((always_inline)) void store_flight(std::byte* out, const V* x) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) Lane::store(out + i * sizeof(V), x[i]);
}

inline __attribute__((always_inline)) void counter_flight(V* x, const V* keys, V next) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) {
    x[i] = Lane::counter_block(next);
    next = Lane::advance(next, Lane::kBlocks);
  }
  encrypt_flight(x, keys);
}

inline __attribute__((always_inline)) void encrypt_group(std::byte* out, const std::byte* in,
                                                         const V* keys) {
  V x[kFlight];
  load_flight(x, in);
  encrypt_flight(x, keys);
  store_flight(out, x);
}

inline __attribute__((always_inline)) void hash_group(std::byte* out, const std::byte* in,
                                                      const V* keys, V tweak) {
  V once[kFlight], x[kFlight];
  load_flight(once, in);
  encrypt_flight(once, keys);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) {
    x[i] = Lane::exclusive_or(once[i], tweak);
    tweak = Lane::advance(tweak, Lane::kBlocks);
  }
  encrypt_flight(x, keys);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) x[i] = Lane::exclusive_or(x[i], once[i]);
  store_flight(out, x);
}

// A last group that is not full goes through this much memory on the stack.
struct alignas(64) Group {
  std::byte bytes[kGroup * kBlockBytes];
};

#include "prg/prg_counter_core.h"

void encrypt(const std::byte* schedule, std::byte* out, const std::byte* in,
             std::size_t num_blocks) {
  V keys[kRounds + 1];
  load_keys(keys, schedule);
  for (; num_blocks >= kGroup; num_blocks -= kGroup, out += sizeof(Group), in += sizeof(Group))
    encrypt_group(out, in, keys);
  if (num_blocks == 0) return;
  Group rest = {};
  __builtin_memcpy(rest.bytes, in, num_blocks * kBlockBytes);
  encrypt_group(rest.bytes, rest.bytes, keys);
  __builtin_memcpy(out, rest.bytes, num_blocks * kBlockBytes);
}

void hash(const std::byte* schedule, std::byte* out, const std::byte* in, std::size_t num_blocks,
          std::uint64_t tweak_high, std::uint64_t tweak_low) {
  V keys[kRounds + 1];
  load_keys(keys, schedule);
  V tweak = Lane::counters(tweak_low, tweak_high);
  for (; num_blocks >= kGroup; num_blocks -= kGroup, out += sizeof(Group), in += sizeof(Group)) {
    hash_group(out, in, keys, tweak);
    tweak = Lane::advance(tweak, kGroup);
  }
  if (num_blocks == 0) return;
  Group rest = {};
  __builtin_memcpy(rest.bytes, in, num_blocks * kBlockBytes);
  hash_group(rest.bytes, rest.bytes, keys, tweak);
  __builtin_memcpy(out, rest.bytes, num_blocks * kBlockBytes);
}

constexpr Kernels kKernels = {expand, counter, encrypt, hash};
