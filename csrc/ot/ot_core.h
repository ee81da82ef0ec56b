// The loops that every target of oblivious transfer shares, written so that compilers vectorise
// them. Included once, inside a target region, in an anonymous namespace.
#pragma once

// Four words; where the target is narrower, compilers make two halves.
typedef Word V __attribute__((vector_size(32)));
typedef Word Pair __attribute__((vector_size(16)));

// swap_bits exchanges the off-diagonal quarters of squares of 2 * kHalf bits (Warren, Hacker's
// Delight, section 7-3): a is row i, b row i + kHalf.
template <unsigned kHalf>
inline __attribute__((always_inline)) void swap_bits(V& a, V& b) {
  constexpr Word kMask = ~Word{0} / ((Word{1} << kHalf) + 1);
  const V change = ((a >> kHalf) ^ b) & (V{} + kMask);
  b ^= change;
  a ^= change << kHalf;
}

template <unsigned kHalf>
inline __attribute__((always_inline)) void three_levels(V* x) {
#pragma GCC unroll 4
  for (unsigned i = 0; i < 4; ++i) swap_bits<kHalf>(x[i], x[i + 4]);
#pragma GCC unroll 4
  for (unsigned i = 0; i < 4; ++i)
    swap_bits<kHalf / 2>(x[i / 2 * 4 + i % 2], x[i / 2 * 4 + i % 2 + 2]);
#pragma GCC unroll 4
  for (unsigned i = 0; i < 4; ++i) swap_bits<kHalf / 4>(x[2 * i], x[2 * i + 1]);
}

// turn_128 does 128 columns: four squares of 64 x 64 bits, one in each word of a vector. Word i of
// a vector holds row half i % 2, column half i / 2, so that half a vector is a block at the end.
inline void turn_128(Block* out, const Word* rows, std::size_t stride) {
  V half[64];
  for (std::size_t i = 0; i < 8; ++i) {
    V x[8];
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 8; ++j) {
      const Word* const low = rows + (8 * j + i) * stride;
      Pair x0, x1;
      __builtin_memcpy(&x0, low, sizeof(Pair));
      __builtin_memcpy(&x1, low + 64 * stride, sizeof(Pair));
      x[j] = __builtin_shufflevector(x0, x1, 0, 2, 1, 3);
    }
    three_levels<32>(x);
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 8; ++j) half[8 * j + i] = x[j];
  }
  for (std::size_t i = 0; i < 8; ++i) {
    V x[8];
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 8; ++j) x[j] = half[8 * i + j];
    three_levels<4>(x);
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 8; ++j) {
      const Pair first = __builtin_shufflevector(x[j], x[j], 0, 1);
      const Pair second = __builtin_shufflevector(x[j], x[j], 2, 3);
      __builtin_memcpy(static_cast<void*>(out + 8 * i + j), &first, sizeof(Pair));
      __builtin_memcpy(static_cast<void*>(out + 64 + 8 * i + j), &second, sizeof(Pair));
    }
  }
}

void turn(Block* out, const Word* rows, std::size_t stride, std::size_t n) {
  for (; n >= 128; n -= 128, out += 128, rows += 2) turn_128(out, rows, stride);
  if (n == 0) return;
  Block rest[128];
  turn_128(rest, rows, stride);
  __builtin_memcpy(static_cast<void*>(out), rest, n * sizeof(Block));
}

void add_masked(Word* __restrict to, const Word* __restrict x, Word mask, std::size_t num_words) {
  for (std::size_t i = 0; i < num_words; ++i) to[i] ^= x[i] & mask;
}

void shifted(Block* __restrict out, const Block* __restrict x, Block offset, std::size_t n) {
  Word* const to = &out->low;
  const Word* const from = &x->low;
  for (std::size_t i = 0; i < n; ++i) {
    to[2 * i] = from[2 * i] ^ offset.low;
    to[2 * i + 1] = from[2 * i + 1] ^ offset.high;
  }
}

void low_words(Word* __restrict out, const Block* __restrict x, std::size_t n) {
  const Word* const from = &x->low;
  for (std::size_t i = 0; i < n; ++i) out[i] = from[2 * i];
}

void high_words(Word* __restrict out, const Block* __restrict x, std::size_t n) {
  const Word* const from = &x->low;
  for (std::size_t i = 0; i < n; ++i) out[i] = from[2 * i + 1];
}

void send_words(const Column& column, Word* share, const Word* w, const Word* x, const Word* y,
                Wire wire) {
  for (std::size_t i = 0; i < column.n; ++i, x += 64, y += 64) {
    const Word number = w[i * column.step];
    alignas(32) Word d[64];
    Word sum = 0;
    for (std::size_t j = 0; j < 64; ++j) d[j] = x[j] - y[j] + number;
    for (std::size_t j = 0; j < 64; ++j) sum += x[j] << j;
    Word* const to = wire.words + i * kGilboaWords;
    to[0] = d[0];
    for (std::size_t j = 1; j < 32; ++j) to[j] = (d[j] & ~Word{0} >> j) | d[64 - j] << (64 - j);
    wire.halves[i] = static_cast<std::uint32_t>(d[32]);
    share[i * column.step] -= sum;
  }
}

void take_words(const Column& column, Word* share, const Word* c, const Word* pads,
                ConstWire wire) {
  for (std::size_t i = 0; i < column.n; ++i, pads += 64) {
    const Word* const from = wire.words + i * kGilboaWords;
    const Word bits = c[i];
    alignas(32) Word masked[64];
    Word sum = 0;
    masked[0] = from[0] & (0 - (bits & 1));
    masked[32] = wire.halves[i] & (0 - (bits >> 32 & 1));
    for (std::size_t j = 1; j < 32; ++j) masked[j] = from[j] & (0 - (bits >> j & 1));
    for (std::size_t j = 1; j < 32; ++j)
      masked[64 - j] = from[j] >> (64 - j) & (0 - (bits >> (64 - j) & 1));
    for (std::size_t j = 0; j < 64; ++j) sum += (pads[j] + masked[j]) << j;
    share[i * column.step] += sum;
  }
}

constexpr Kernels kKernels = {turn,       add_masked, shifted,   low_words,
                              high_words, send_words, take_words};
