// Lane for 256-bit VAES: two AES blocks to a register; see prg_flight.h.
// Included inside a target region, in an anonymous namespace.
#pragma once

struct Lane {
  using V = __m256i;
  static constexpr std::size_t kBlocks = 2;

  static V load(const std::byte* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static void store(std::byte* to, V x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x); }
  static void store_around(std::byte* to, V x) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), x);
  }
  static void fence() { _mm_sfence(); }
  static V key(const std::byte* from) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static V exclusive_or(V x, V y) { return _mm256_xor_si256(x, y); }
  static V add(V x, V y) { return _mm256_add_epi64(x, y); }
  static V subtract(V x, V y) { return _mm256_sub_epi64(x, y); }
  static V start(V x, const V* keys) { return exclusive_or(x, keys[0]); }
  static V middle(V x, const V* keys, std::size_t r) { return _mm256_aesenc_epi128(x, keys[r]); }
  static V finish(V x, const V* keys) { return _mm256_aesenclast_epi128(x, keys[kRounds]); }
  static V counters(std::uint64_t low, std::uint64_t high) {
    const auto l = static_cast<long long>(low), h = static_cast<long long>(high);
    return _mm256_set_epi64x(h, static_cast<long long>(low + 1), h, l);
  }
  static V advance(V x, std::size_t n) {
    const auto step = static_cast<long long>(n);
    return _mm256_add_epi64(x, _mm256_set_epi64x(0, step, 0, step));
  }
  static V clear_last_byte(V x) {
    return _mm256_and_si256(x, _mm256_set_epi64x(-1, -256, -1, -256));
  }
  static V counter_block(V x) {
    const __m128i order = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    return _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(order));
  }
};
