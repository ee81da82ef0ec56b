// AES and the hash of crh.h on as many vectors as it takes to hide an instruction's latency.
// Included once, inside a target region, by a file whose anonymous namespace defines a type Lane:
//   V, kBlocks                      a vector and the AES blocks it holds
//   load, store, key                unaligned memory; key r of a schedule in every block
//   exclusive_or                    of bits
//   start, middle(.., r), finish    AES: before round 1, rounds 1 to 9, round 10
//   counters(low, high)             block i holds the words (low + i, high)
//   advance(v, n)                   adds n to the low word of every block
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

inline __attribute__((always_inline)) void load_flight(V* x, const std::byte* in) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) x[i] = Lane::load(in + i * sizeof(V));
}

inline __attribute__((always_inline)) void store_flight(std::byte* out, const V* x) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) Lane::store(out + i * sizeof(V), x[i]);
}

// hash_flight hashes block i of x under the tweak's words, the low one plus i.
inline __attribute__((always_inline)) void hash_flight(V* x, const V* keys, V tweak) {
  V once[kFlight];
  encrypt_flight(x, keys);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) {
    once[i] = x[i];
    x[i] = Lane::exclusive_or(once[i], tweak);
    tweak = Lane::advance(tweak, Lane::kBlocks);
  }
  encrypt_flight(x, keys);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) x[i] = Lane::exclusive_or(x[i], once[i]);
}
