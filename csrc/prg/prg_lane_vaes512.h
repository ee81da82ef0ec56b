// Lane for 512-bit VAES: four AES blocks to a register; see prg_flight.h.
// Included inside a target region, in an anonymous namespace.
#pragma once

// The masked form with a full mask is the same instruction; GCC 12 warns inside the plain one.
inline __m512i broadcast(__m128i block) { return _mm512_maskz_broadcast_i32x4(0xffff, block); }

struct Lane {
  using V = __m512i;
  static constexpr std::size_t kBlocks = 4;

  static V load(const std::byte* from) { return _mm512_loadu_si512(from); }
  static void store(std::byte* to, V x) { _mm512_storeu_si512(to, x); }
  static void store_around(std::byte* to, V x) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), x);
  }
  static void fence() { _mm_sfence(); }
  static V key(const std::byte* from) {
    return broadcast(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static V exclusive_or(V x, V y) { return _mm512_xor_si512(x, y); }
  static V add(V x, V y) { return _mm512_add_epi64(x, y); }
  static V subtract(V x, V y) { return _mm512_sub_epi64(x, y); }
  static V start(V x, const V* keys) { return exclusive_or(x, keys[0]); }
  static V middle(V x, const V* keys, std::size_t r) { return _mm512_aesenc_epi128(x, keys[r]); }
  static V finish(V x, const V* keys) { return _mm512_aesenclast_epi128(x, keys[kRounds]); }
  static V counters(std::uint64_t low, std::uint64_t high) {
    const V base =
        broadcast(_mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low)));
    return _mm512_add_epi64(base, _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0));
  }
  static V advance(V x, std::size_t n) {
    return _mm512_add_epi64(x, broadcast(_mm_set_epi64x(0, static_cast<long long>(n))));
  }
  static V clear_last_byte(V x) { return _mm512_and_si512(x, broadcast(_mm_set_epi64x(-1, -256))); }
  static V counter_block(V x) {
    const __m128i order = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    return _mm512_shuffle_epi8(x, broadcast(order));
  }
};
