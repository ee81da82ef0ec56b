// The elementwise loops that every ring target shares. Included once, inside a target region, by a
// file whose anonymous namespace defines a type Lane:
//   V, S, kWords          a vector of unsigned words (or one word), the same signed, its length
//   Factor factor(V)      a right operand made ready for many products
//   Sum, madd(sum, factor, v), total(sum)     sums of products mod 2^64
//   stream(to, v), fence()    a store around the caches where there is one, to an aligned place
//   kTileRows, kTileVectors, kDepth, kRows, kColumns, kPairs    see ring_matmul_core.h
#pragma once

using V = Lane::V;
constexpr std::size_t kWords = Lane::kWords;

inline V splat(Word word) { return V{} + word; }

inline V load(const Word* from) {
  V x;
  __builtin_memcpy(&x, from, sizeof(V));
  return x;
}

inline void store(Word* to, V x) { __builtin_memcpy(to, &x, sizeof(V)); }

// load_some and store_some move the first `size` words of a vector.
inline V load_some(const Word* from, std::size_t size) {
  V x{};
  __builtin_memcpy(&x, from, size * sizeof(Word));
  return x;
}

inline void store_some(Word* to, std::size_t size, V x) {
  __builtin_memcpy(to, &x, size * sizeof(Word));
}

inline Word sum_words(V x) {
  Word words[kWords], total = 0;
  __builtin_memcpy(words, &x, sizeof(V));
  for (const Word word : words) total += word;
  return total;
}

inline V product(V x, V y) {
  Lane::Sum sum{};
  Lane::madd(sum, Lane::factor(y), x);
  return Lane::total(sum);
}

// around_cache is the part of for_each that streaming stores can do: all but the words before the
// first aligned vector of out, which are done one by one, and those after the last.
template <class Op, class... In>
inline std::size_t around_cache(Op op, Word* out, std::size_t size, const In*... in) {
  const auto address = reinterpret_cast<std::uintptr_t>(out);
  if (address % sizeof(Word) != 0) return 0;
  std::size_t i = 0;
  for (; i < size && (address + i * sizeof(Word)) % sizeof(V) != 0; ++i)
    store_some(out + i, 1, op(load_some(in + i, 1)...));
#pragma GCC unroll 4
  for (; i + kWords <= size; i += kWords) Lane::stream(out + i, op(load(in + i)...));
  Lane::fence();
  return i;
}

// for_each writes op of the vectors at the same place of every input; out may be an input.
template <class Op, class... In>
inline void for_each(Op op, Word* out, Extent extent, const In*... in) {
  const std::size_t size = extent.size;
  std::size_t i = extent.around_cache ? around_cache(op, out, size, in...) : 0;
#pragma GCC unroll 4
  for (; i + kWords <= size; i += kWords) store(out + i, op(load(in + i)...));
  if (i < size) store_some(out + i, size - i, op(load_some(in + i, size - i)...));
}

// Functors, not lambdas: GCC 12 gives a lambda's conversion to a pointer no target.
struct Add {
  V operator()(V x, V y) const { return x + y; }
};
struct Sub {
  V operator()(V x, V y) const { return x - y; }
};
struct Neg {
  V operator()(V x) const { return -x; }
};
struct Mul {
  V operator()(V x, V y) const { return product(x, y); }
};
struct Scale {
  V factor;
  V operator()(V x) const { return product(x, factor); }
};
struct ShiftLeft {
  unsigned bits;
  V operator()(V x) const { return x << bits; }
};
struct ShiftRight {
  unsigned bits;
  V operator()(V x) const { return x >> bits; }
};
struct ShiftRightSigned {
  int bits;
  V operator()(V x) const { return (V)((Lane::S)x >> bits); }
};
struct MulAdd2 {
  V operator()(V a, V b, V c, V d, V e) const {
    Lane::Sum sum{};
    Lane::madd(sum, Lane::factor(b), a);
    Lane::madd(sum, Lane::factor(d), c);
    return Lane::total(sum) + e;
  }
};

void add(Word* out, const Word* x, const Word* y, Extent extent) {
  for_each(Add{}, out, extent, x, y);
}

void sub(Word* out, const Word* x, const Word* y, Extent extent) {
  for_each(Sub{}, out, extent, x, y);
}

void neg(Word* out, const Word* x, Extent extent) { for_each(Neg{}, out, extent, x); }

void mul(Word* out, const Word* x, const Word* y, Extent extent) {
  for_each(Mul{}, out, extent, x, y);
}

void scale(Word* out, const Word* x, Extent extent, Word factor) {
  for_each(Scale{splat(factor)}, out, extent, x);
}

void shift_left(Word* out, const Word* x, Extent extent, unsigned bits) {
  for_each(ShiftLeft{bits}, out, extent, x);
}

void shift_right(Word* out, const Word* x, Extent extent, unsigned bits) {
  for_each(ShiftRight{bits}, out, extent, x);
}

void shift_right_signed(Word* out, const Word* x, Extent extent, unsigned bits) {
  for_each(ShiftRightSigned{static_cast<int>(bits)}, out, extent, x);
}

void mul_add2(Word* out, const Word* a, const Word* b, const Word* c, const Word* d, const Word* e,
              Extent extent) {
  for_each(MulAdd2{}, out, extent, a, b, c, d, e);
}

Word sum(const Word* x, std::size_t size) {
  V a{}, b{}, c{}, d{};
  std::size_t i = 0;
  for (; i + 4 * kWords <= size; i += 4 * kWords) {
    a += load(x + i);
    b += load(x + i + kWords);
    c += load(x + i + 2 * kWords);
    d += load(x + i + 3 * kWords);
  }
  Word total = sum_words((a + b) + (c + d));
  for (; i < size; ++i) total += x[i];
  return total;
}
