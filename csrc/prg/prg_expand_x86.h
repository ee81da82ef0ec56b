// The AES-128 key schedule with AES-NI (Gueron, "Intel Advanced Encryption Standard (AES) New
// Instructions Set", 2012, figure 24). Included inside a target region, in an anonymous namespace.
#pragma once

// xor_prefixes gives word i the exclusive or of words 0 to i.
inline __m128i xor_prefixes(__m128i key) {
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  return _mm_xor_si128(key, _mm_slli_si128(key, 8));
}

template <int kConstant>
inline __m128i next_key(std::byte* to, __m128i key) {
  const __m128i substituted = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, kConstant), 0xff);
  key = _mm_xor_si128(xor_prefixes(key), substituted);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), key);
  return key;
}

void expand(std::byte* schedule, const std::byte* key) {
  __m128i k = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(schedule), k);
  k = next_key<0x01>(schedule + 16, k);
  k = next_key<0x02>(schedule + 32, k);
  k = next_key<0x04>(schedule + 48, k);
  k = next_key<0x08>(schedule + 64, k);
  k = next_key<0x10>(schedule + 80, k);
  k = next_key<0x20>(schedule + 96, k);
  k = next_key<0x40>(schedule + 112, k);
  k = next_key<0x80>(schedule + 128, k);
  k = next_key<0x1b>(schedule + 144, k);
  next_key<0x36>(schedule + 160, k);
}
