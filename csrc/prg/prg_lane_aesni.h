// Lane for AES-NI: one AES block to a register; see prg_flight.h.
// Included inside a target region, in an anonymous namespace.
#pragma once

struct Lane {
  using V = __m128i;
  static constexpr std::size_t kBlocks = 1;

  static V load(const std::byte* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  static void store(std::byte* to, V x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), x); }
  static void store_around(std::byte* to, V x) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to), x);
  }
  static void fence() { _mm_sfence(); }
  static V key(const std::byte* from) { return load(from); }
  static V exclusive_or(V x, V y) { return _mm_xor_si128(x, y); }
  static V add(V x, V y) { return _mm_add_epi64(x, y); }
  static V subtract(V x, V y) { return _mm_sub_epi64(x, y); }
  static V start(V x, const V* keys) { return exclusive_or(x, keys[0]); }
  static V middle(V x, const V* keys, std::size_t r) { return _mm_aesenc_si128(x, keys[r]); }
  static V finish(V x, const V* keys) { return _mm_aesenclast_si128(x, keys[kRounds]); }
  static V counters(std::uint64_t low, std::uint64_t high) {
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
  }
  static V advance(V x, std::size_t n) {
    return _mm_add_epi64(x, _mm_set_epi64x(0, static_cast<long long>(n)));
  }
  static V clear_last_byte(V x) { return _mm_and_si128(x, _mm_set_epi64x(-1, -256)); }
  static V counter_block(V x) {
    return _mm_shuffle_epi8(x, _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f));
  }
};
