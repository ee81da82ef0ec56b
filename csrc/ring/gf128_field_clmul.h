// Field for carry-less products of 64 bits; see gf128_core.h. Included inside a target region, in
// an anonymous namespace.
#pragma once

// After Gueron and Kounavis, "Intel Carry-Less Multiplication Instruction and its Usage for
// Computing the GCM Mode", 2010; bits in natural order, so that nothing is shifted.
struct Field {
  using V = __m128i;
  struct Wide {
    V low{}, middle{}, high{};  // the middle one times x^64
  };

  static V load(const Gf128* from) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(from));
  }
  static void store(Gf128* to, V x) { _mm_store_si128(reinterpret_cast<__m128i*>(to), x); }
  static V add(V x, V y) { return _mm_xor_si128(x, y); }
  static Wide add_wide(const Wide& p, const Wide& q) {
    return {add(p.low, q.low), add(p.middle, q.middle), add(p.high, q.high)};
  }
  static Wide wide(V x, V y) {
    return {_mm_clmulepi64_si128(x, y, 0x00),
            add(_mm_clmulepi64_si128(x, y, 0x01), _mm_clmulepi64_si128(x, y, 0x10)),
            _mm_clmulepi64_si128(x, y, 0x11)};
  }
  static V reduce(const Wide& p) {
    const V polynomial = _mm_cvtsi64_si128(0x87);
    V low = add(p.low, _mm_slli_si128(p.middle, 8));
    V high = add(p.high, _mm_srli_si128(p.middle, 8));
    const V top = _mm_clmulepi64_si128(high, polynomial, 0x01);
    low = add(low, _mm_slli_si128(top, 8));
    high = add(high, _mm_srli_si128(top, 8));
    return add(low, _mm_clmulepi64_si128(high, polynomial, 0x00));
  }
};
