// The loops that every vector target of the PRG shares. Included once, inside a target region, by a
// file whose anonymous namespace defines a type Lane with what prg_flight.h says and
//   store_around, fence             aligned memory, past the caches; after the last of them
//   add, subtract                   of 64-bit words
//   clear_last_byte(v)              the lowest byte of the word low of every block becomes 0
//   counter_block(v)                (high, low) as one big-endian number of 128 bits
#pragma once

#include "prg/prg_flight.h"

inline __attribute__((always_inline)) V first_round(V x, const V* keys) {
  return Lane::middle(Lane::start(x, keys), keys, 1);
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
  V x[kFlight];
  load_flight(x, in);
  hash_flight(x, keys, tweak);
  store_flight(out, x);
}

// A last group that is not full goes through this much memory on the stack.
struct alignas(64) Group {
  std::byte bytes[kGroup * kBlockBytes];
};

#include "prg/prg_counter_core.h"

#include "prg/prg_fold_core.h"

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

// low_words_of_group hashes kGroup blocks and keeps the low word of each.
inline __attribute__((always_inline)) void low_words_of_group(std::uint64_t* out,
                                                              const std::byte* in, const V* keys,
                                                              V offset, V tweak) {
  V x[kFlight];
  load_flight(x, in);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) x[i] = Lane::exclusive_or(x[i], offset);
  hash_flight(x, keys, tweak);
  alignas(64) std::uint64_t words[2 * kGroup];
  store_flight(reinterpret_cast<std::byte*>(words), x);
  for (std::size_t i = 0; i < kGroup; ++i) out[i] = words[2 * i];
}

void hash_low_words(const std::byte* schedule, std::uint64_t* out, const std::byte* in,
                    const std::byte* offset, std::size_t num_blocks, std::uint64_t tweak_high,
                    std::uint64_t tweak_low) {
  V keys[kRounds + 1];
  load_keys(keys, schedule);
  const V shift = Lane::key(offset);  // in every block
  V tweak = Lane::counters(tweak_low, tweak_high);
  for (; num_blocks >= kGroup; num_blocks -= kGroup, out += kGroup, in += sizeof(Group)) {
    low_words_of_group(out, in, keys, shift, tweak);
    tweak = Lane::advance(tweak, kGroup);
  }
  if (num_blocks == 0) return;
  Group rest = {};
  std::uint64_t words[kGroup];
  __builtin_memcpy(rest.bytes, in, num_blocks * kBlockBytes);
  low_words_of_group(words, rest.bytes, keys, shift, tweak);
  __builtin_memcpy(out, words, num_blocks * sizeof(std::uint64_t));
}

constexpr Kernels kKernels = {expand, counter, encrypt, hash, hash_low_words, fold};
