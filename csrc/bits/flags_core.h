// What flags do to their words, for every bit target; see flags.h. Included once after
// gates_core.h.
#pragma once

// flags_at holds the flags of kWords elements from i on, `step` bits apart; kWords divides 64.
inline V flags_at(const Word* flags, std::size_t i, std::size_t step = 1) {
  Word shifts[kWords];
  for (std::size_t k = 0; k < kWords; ++k) shifts[k] = i % 64 + k * step;
  V by;
  __builtin_memcpy(&by, shifts, sizeof(V));
  return (V{} + flags[i / 64]) >> by;
}

inline V load_few(const Word* from, std::size_t size) {
  V x{};
  __builtin_memcpy(&x, from, size * sizeof(Word));
  return x;
}

// each_word writes op(i, vectors at i of every input...) for all elements.
template <class Op, class... In>
inline void each_word(const Op& op, Word* out, std::size_t size, const In*... in) {
  std::size_t i = 0;
  for (; i + kWords <= size; i += kWords) put<V>(out + i, op(i, take<V>(in + i)...));
  if (i == size) return;
  const V last = op(i, load_few(in + i, size - i)...);
  __builtin_memcpy(out + i, &last, (size - i) * sizeof(Word));
}

struct Expand {
  const Word* flags;
  V operator()(std::size_t i) const { return flags_at(flags, i) & 1; }
};
struct Keep {
  const Word* flags;
  V operator()(std::size_t i, V x) const { return x & -(flags_at(flags, i) & 1); }
};
struct ExpandHalves {
  const Word* flags;
  V operator()(std::size_t i) const {
    const V pair = flags_at(flags, 2 * i, 2);
    return (pair & 1) | ((pair & 2) << 31);
  }
};
struct Reflect {
  const Word* flags;
  V operator()(std::size_t i, V x, V y) const {
    const V all = -(flags_at(flags, i) & 1);
    return (x ^ all) - all + (y & all);
  }
};
struct TurnAdd {
  const Word *turn, *plus, *minus;
  V operator()(std::size_t i, V x) const {
    const V all = -(flags_at(turn, i) & 1);
    return (x ^ all) - all + (flags_at(plus, i) & 1) - (flags_at(minus, i) & 1);
  }
};
struct Divide {
  Quotient by;
  V operator()(std::size_t, V x, V wrap) const {
    const V s = x + by.offset;
    const V rest = ((s & ((Word{1} << by.f) - 1)) + by.round) >> by.f;
    return (s >> by.f) + rest + (wrap << (64 - by.f)) - by.known;
  }
};

void expand(Word* out, const Word* flags, std::size_t size) { each_word(Expand{flags}, out, size); }

void keep(Word* out, const Word* x, const Word* flags, std::size_t size) {
  each_word(Keep{flags}, out, size, x);
}

void expand_halves(Word* out, const Word* flags, std::size_t size) {
  each_word(ExpandHalves{flags}, out, size);
}

void reflect(Word* out, const Word* x, const Word* y, const Word* flags, std::size_t size) {
  each_word(Reflect{flags}, out, size, x, y);
}

void turn_add(Word* out, const Word* x, const Word* turn, const Word* plus, const Word* minus,
              std::size_t size) {
  each_word(TurnAdd{turn, plus, minus}, out, size, x);
}

void quotient(Word* out, const Word* x, const Word* wrap, const Quotient& by, std::size_t size) {
  each_word(Divide{by}, out, size, x, wrap);
}

void top_flags(Word* out, const Word* x, std::size_t size, Word offset) {
  for (std::size_t i = 0; i < size; i += 64) {
    const std::size_t count = size - i < 64 ? size - i : 64;
    Word packed = 0;
    std::size_t j = 0;
    for (; j + kWords <= count; j += kWords) packed |= Lane::tops(take<V>(x + i + j) + offset) << j;
    for (; j < count; ++j) packed |= (x[i + j] + offset) >> 63 << j;
    *out++ = packed;
  }
}

constexpr Kernels kKernels = {pack,         unpack,      transpose,  narrow,        widen_sum,
                              exclusive_or, conjunction, deal_group, compare_group, deal_node,
                              mask_node,    close_node,  expand,     keep,          expand_halves,
                              reflect,      turn_add,    top_flags,  quotient};
