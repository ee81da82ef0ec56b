#include "group/sha256_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_sha.h"

namespace petcore::group {
namespace {

using V = __m128i;

constexpr std::size_t kSha256Bytes = 64;  // of a block
constexpr std::size_t kLengthBytes = 8;

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
alignas(16) constexpr std::uint32_t kConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// State: the words a b e f and c d g h, the last one lowest, as the instructions want them.
struct State {
  V abef, cdgh;
};

inline State initial() {
  return {_mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f,
                        static_cast<int>(0x9b05688c)),
          _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19)};
}

inline V swap_bytes(V words) {
  return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

// compress does one block of each message, every step for both before the next.
inline void compress(State* states, const std::byte* const* messages) {
  State now[2] = {states[0], states[1]};
  V words[2][4];
  for (int m = 0; m < 2; ++m)
    for (int i = 0; i < 4; ++i)
      words[m][i] = swap_bytes(_mm_loadu_si128(reinterpret_cast<const V*>(messages[m] + 16 * i)));
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) {
    const V constants = _mm_load_si128(reinterpret_cast<const V*>(kConstants + 4 * r));
    V sum[2];
#pragma GCC unroll 2
    for (int m = 0; m < 2; ++m) {
      sum[m] = _mm_add_epi32(words[m][r % 4], constants);
      now[m].cdgh = _mm_sha256rnds2_epu32(now[m].cdgh, now[m].abef, sum[m]);
    }
#pragma GCC unroll 2
    for (int m = 0; m < 2; ++m)
      now[m].abef =
          _mm_sha256rnds2_epu32(now[m].abef, now[m].cdgh, _mm_shuffle_epi32(sum[m], 0x0e));
    if (r >= 12) continue;
#pragma GCC unroll 2
    for (int m = 0; m < 2; ++m) {
      V* const w = words[m];
      const V before = _mm_alignr_epi8(w[(r + 3) % 4], w[(r + 2) % 4], 4);
      w[r % 4] = _mm_sha256msg2_epu32(
          _mm_add_epi32(_mm_sha256msg1_epu32(w[r % 4], w[(r + 1) % 4]), before), w[(r + 3) % 4]);
    }
  }
  for (int m = 0; m < 2; ++m) {
    states[m].abef = _mm_add_epi32(states[m].abef, now[m].abef);
    states[m].cdgh = _mm_add_epi32(states[m].cdgh, now[m].cdgh);
  }
}

inline void put_digest(std::byte* out, const State& state) {
  const V abef = _mm_shuffle_epi32(state.abef, 0x1b), cdgh = _mm_shuffle_epi32(state.cdgh, 0x1b);
  auto* const to = reinterpret_cast<V*>(out);
  _mm_storeu_si128(to, swap_bytes(_mm_unpacklo_epi64(abef, cdgh)));
  _mm_storeu_si128(to + 1, swap_bytes(_mm_unpackhi_epi64(abef, cdgh)));
}

// Tail: what is left of a message, a one bit, zeros, and the length in bits.
struct Tail {
  std::byte bytes[2 * kSha256Bytes] = {};
  std::size_t size;

  Tail(const std::byte* message, std::size_t num_bytes) {
    const std::size_t rest = num_bytes % kSha256Bytes;
    size = rest + 1 + kLengthBytes > kSha256Bytes ? 2 * kSha256Bytes : kSha256Bytes;
    if (rest > 0) __builtin_memcpy(bytes, message + (num_bytes - rest), rest);
    bytes[rest] = std::byte{0x80};
    const std::uint64_t length = __builtin_bswap64(8 * static_cast<std::uint64_t>(num_bytes));
    __builtin_memcpy(bytes + size - kLengthBytes, &length, kLengthBytes);
  }
};

void pair(std::byte* out, const std::byte* x, const std::byte* y, std::size_t num_bytes) {
  State states[2] = {initial(), initial()};
  const std::size_t whole = num_bytes / kSha256Bytes * kSha256Bytes;
  for (std::size_t at = 0; at < whole; at += kSha256Bytes) {
    const std::byte* const messages[2] = {x + at, y + at};
    compress(states, messages);
  }
  const Tail tails[2] = {{x, num_bytes}, {y, num_bytes}};
  for (std::size_t at = 0; at < tails[0].size; at += kSha256Bytes) {
    const std::byte* const messages[2] = {tails[0].bytes + at, tails[1].bytes + at};
    compress(states, messages);
  }
  put_digest(out, states[0]);
  put_digest(out + sizeof(Digest), states[1]);
}

constexpr Sha256Kernels kKernels = {pair};
}  // namespace
#include "simd/region_end.h"

constinit const Sha256Kernels* const kSha256X86 = &kKernels;

}  // namespace petcore::group
#else
constinit const petcore::group::Sha256Kernels* const petcore::group::kSha256X86 = nullptr;
#endif
