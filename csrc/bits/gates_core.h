// The circuits' loops that every bit target shares; see gates.h. Included once after bits_core.h,
// whose vectors it uses. U is a vector, or one word for the last ones.
#pragma once

template <class U>
inline U take(const Word* from) {
  U x;
  __builtin_memcpy(&x, from, sizeof(U));
  return x;
}

template <class U>
inline void put(Word* to, U x) {
  __builtin_memcpy(to, &x, sizeof(U));
}

// each_place runs op at every place of slices of `words` words.
template <class Op>
inline void each_place(const Op& op, std::size_t words) {
  std::size_t w = 0;
  for (; w + kWords <= words; w += kWords) op.template at<V>(w);
  if constexpr (kWords > 1)
    for (; w < words; ++w) op.template at<Word>(w);
}

struct ExclusiveOr {
  Word* out;
  const Word *x, *y;
  template <class U>
  void at(std::size_t w) const {
    put<U>(out + w, take<U>(x + w) ^ take<U>(y + w));
  }
};

struct Conjunction {
  Word* out;
  const Word *x, *y;
  template <class U>
  void at(std::size_t w) const {
    put<U>(out + w, take<U>(x + w) & take<U>(y + w));
  }
};

void exclusive_or(Word* out, const Word* x, const Word* y, std::size_t size) {
  each_place(ExclusiveOr{out, x, y}, size);
}

void conjunction(Word* out, const Word* x, const Word* y, std::size_t size) {
  each_place(Conjunction{out, x, y}, size);
}

// products fills all[S], for S with two members or more, from the single ones.
template <std::size_t kSize, class U>
inline void products(U (&all)[kSize]) {
#pragma GCC unroll 16
  for (std::size_t s = 3; s < kSize; ++s)
    if ((s & (s - 1)) != 0) all[s] = all[s & (s - 1)] & all[s & -s];
}

template <std::size_t kBits>
struct DealGroup {
  Word* dealt;
  const Word* r;
  std::size_t words;
  template <class U>
  void at(std::size_t w) const {
    U all[1 << kBits];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kBits; ++i) all[1 << i] = take<U>(r + i * words + w);
    products(all);
#pragma GCC unroll 16
    for (std::size_t s = 1; s < 1 << kBits; ++s) put<U>(dealt + (s - 1) * words + w, all[s]);
  }
};

// Bit by bit from the lowest, for every product S of higher bits of r: `equal[S]` is S times p of
// the bits so far, `less[S]` is S times their g.
template <std::size_t kBits, bool kLess>
struct CompareGroup {
  Word *g, *p;
  const Word *c, *dealt;
  std::size_t words;
  Word mine;
  template <class U>
  void at(std::size_t w) const {
    U r[1 << kBits], equal[1 << kBits], less[1 << kBits];
    r[0] = U{} + mine;
#pragma GCC unroll 16
    for (std::size_t s = 1; s < 1 << kBits; ++s) r[s] = take<U>(dealt + (s - 1) * words + w);
#pragma GCC unroll 16
    for (std::size_t s = 0; s < 1 << kBits; ++s) equal[s] = r[s];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kBits; ++i) {
      const U n = ~take<U>(c + i * words + w);
      const std::size_t bit = std::size_t{1} << i;
#pragma GCC unroll 8
      for (std::size_t s = 0; s < 1 << kBits; s += 2 * bit) {
        if (kLess) {
          const U here = n & r[s | bit];
          less[s] = i == 0 ? here : here ^ less[s | bit] ^ (n & less[s]);
        }
        equal[s] = equal[s | bit] ^ (n & equal[s]);
      }
    }
    if (kLess) put<U>(g + w, less[0]);
    put<U>(p + w, equal[0]);
  }
};

// Where what a node opens lies.
template <unsigned kFanIn, Parts kParts>
struct Lists {
  static constexpr bool kG = kParts != Parts::equal, kP = kParts != Parts::less;
  static constexpr std::size_t kSize = std::size_t{1} << (kFanIn - 1);
  static constexpr std::size_t kOpenedB = kFanIn - 1;
  static constexpr std::size_t kOpenedQ = kG ? 2 * kFanIn - 2 : kFanIn - 1;
  // a of pair i stands for bit i - 1 of S.
  static constexpr std::size_t opened_a(std::size_t i) { return kFanIn - 1 - i; }
  static constexpr std::size_t opened_b(std::size_t i) { return kOpenedB + kFanIn - 2 - i; }
};

template <unsigned kFanIn, Parts kParts>
struct DealNode {
  using L = Lists<kFanIn, kParts>;
  Word* dealt;
  const Word* masks;
  std::size_t words;
  template <class U>
  void at(std::size_t w) const {
    U a[L::kSize];
#pragma GCC unroll 4
    for (std::size_t i = 1; i < kFanIn; ++i)
      a[std::size_t{1} << (i - 1)] = take<U>(masks + L::opened_a(i) * words + w);
    products(a);
    Word* to = dealt + w;
#pragma GCC unroll 8
    for (std::size_t s = 3; s < L::kSize; ++s)
      if ((s & (s - 1)) != 0) put<U>(to, a[s]), to += words;
    if (L::kG) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i + 1 < kFanIn; ++i) {
        const U b = take<U>(masks + L::opened_b(i) * words + w);
#pragma GCC unroll 8
        for (std::size_t s = std::size_t{1} << i; s < L::kSize; s += std::size_t{1} << i)
          put<U>(to, a[s] & b), to += words;
      }
    }
    if (L::kP) {
      const U q = take<U>(masks + L::kOpenedQ * words + w);
#pragma GCC unroll 8
      for (std::size_t s = 1; s < L::kSize; ++s) put<U>(to, a[s] & q), to += words;
    }
  }
};

template <unsigned kFanIn, Parts kParts>
struct MaskNode {
  using L = Lists<kFanIn, kParts>;
  Word* own;
  const Word *g, *p;
  std::size_t words;
  template <class U>
  void add(std::size_t slice, const Word* value) const {
    Word* const to = own + slice * words;
    put<U>(to, take<U>(to) ^ take<U>(value));
  }
  template <class U>
  void at(std::size_t w) const {
    const MaskNode here{own + w, g, p, words};
#pragma GCC unroll 4
    for (std::size_t i = 1; i < kFanIn; ++i)
      here.template add<U>(L::opened_a(i), p + i * words + w);
    if (L::kG) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i + 1 < kFanIn; ++i)
        here.template add<U>(L::opened_b(i), g + i * words + w);
    }
    if (L::kP) here.template add<U>(L::kOpenedQ, p + w);
  }
};

// From the lowest pair up, x[S] is this party's share of S times the pairs so far, S a product of
// the masks a of higher pairs.
template <unsigned kFanIn, Parts kParts>
struct CloseNode {
  using L = Lists<kFanIn, kParts>;
  Word *g_out, *p_out;
  const Word *g, *p, *own, *theirs, *dealt;
  std::size_t words;

  template <class U>
  U opened(std::size_t slice, std::size_t w) const {
    return take<U>(own + slice * words + w) ^ take<U>(theirs + slice * words + w);
  }
  template <class U>
  void at(std::size_t w) const {
    U a[L::kSize], e[kFanIn];
    const Word* from = dealt + w;
#pragma GCC unroll 4
    for (std::size_t i = 1; i < kFanIn; ++i) {
      const U mine = take<U>(own + L::opened_a(i) * words + w);
      a[std::size_t{1} << (i - 1)] = mine ^ take<U>(p + i * words + w);
      e[i] = mine ^ take<U>(theirs + L::opened_a(i) * words + w);
    }
#pragma GCC unroll 8
    for (std::size_t s = 3; s < L::kSize; ++s)
      if ((s & (s - 1)) != 0) a[s] = take<U>(from), from += words;
    U less{}, equal{};
    if (L::kG) {
      U x[L::kSize];
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kFanIn; ++i) {
        const std::size_t bit = std::size_t{1} << i;
        if (i > 0) fold(x, e[i], bit);
        const U mine = take<U>(g + i * words + w);
        x[0] = i == 0 ? mine : x[0] ^ mine;
        if (i + 1 == kFanIn) break;
        const U f = opened<U>(L::opened_b(i), w);
#pragma GCC unroll 8
        for (std::size_t s = bit; s < L::kSize; s += bit) {
          const U more = (f & a[s]) ^ take<U>(from);
          x[s] = i == 0 ? more : x[s] ^ more;
          from += words;
        }
      }
      less = x[0];
    }
    if (L::kP) {
      U x[L::kSize];
      const U f = opened<U>(L::kOpenedQ, w);
      x[0] = take<U>(p + w);
#pragma GCC unroll 8
      for (std::size_t s = 1; s < L::kSize; ++s) {
        x[s] = (f & a[s]) ^ take<U>(from);
        from += words;
      }
#pragma GCC unroll 4
      for (std::size_t i = 1; i < kFanIn; ++i) fold(x, e[i], std::size_t{1} << i);
      equal = x[0];
    }
    if (L::kG) put<U>(g_out + w, less);
    if (L::kP) put<U>(p_out + w, equal);
  }

  // Multiplies by p of the pair whose mask is bit / 2: it was opened as e.
  template <class U>
  static void fold(U (&x)[L::kSize], U e, std::size_t bit) {
#pragma GCC unroll 8
    for (std::size_t s = 0; s < L::kSize; s += bit) x[s] = x[s | bit / 2] ^ (e & x[s]);
  }
};

void deal_group(Word* dealt, const Word* r, std::size_t words, std::size_t num_bits) {
  if (num_bits == 1) return each_place(DealGroup<1>{dealt, r, words}, words);
  if (num_bits == 2) return each_place(DealGroup<2>{dealt, r, words}, words);
  if (num_bits == 3) return each_place(DealGroup<3>{dealt, r, words}, words);
  each_place(DealGroup<4>{dealt, r, words}, words);
}

template <bool kLess>
void compare_group_by(Word* g, Word* p, const Word* c, const Word* dealt, std::size_t words,
                      std::size_t num_bits, Word mine) {
  if (num_bits == 1) return each_place(CompareGroup<1, kLess>{g, p, c, dealt, words, mine}, words);
  if (num_bits == 2) return each_place(CompareGroup<2, kLess>{g, p, c, dealt, words, mine}, words);
  if (num_bits == 3) return each_place(CompareGroup<3, kLess>{g, p, c, dealt, words, mine}, words);
  each_place(CompareGroup<4, kLess>{g, p, c, dealt, words, mine}, words);
}

void compare_group(Word* g, Word* p, const Word* c, const Word* dealt, std::size_t words,
                   std::size_t num_bits, bool first) {
  const Word mine = first ? ~Word{0} : 0;
  if (g == nullptr) return compare_group_by<false>(g, p, c, dealt, words, num_bits, mine);
  compare_group_by<true>(g, p, c, dealt, words, num_bits, mine);
}

// with_shape calls run with an object whose type holds the node's fan-in and parts.
template <unsigned kFanIn, Parts kParts>
struct Shape {
  static constexpr unsigned kPairs = kFanIn;
  static constexpr Parts kNeeded = kParts;
};

template <unsigned kFanIn, class Run>
inline void with_parts(Parts parts, const Run& run) {
  if (parts == Parts::both) return run(Shape<kFanIn, Parts::both>{});
  if (parts == Parts::less) return run(Shape<kFanIn, Parts::less>{});
  run(Shape<kFanIn, Parts::equal>{});
}

template <class Run>
inline void with_shape(Node node, const Run& run) {
  if (node.fan_in == 2) return with_parts<2>(node.parts, run);
  if (node.fan_in == 3) return with_parts<3>(node.parts, run);
  with_parts<4>(node.parts, run);
}

struct RunDeal {
  Word* dealt;
  const Word* masks;
  std::size_t words;
  template <class S>
  void operator()(S) const {
    each_place(DealNode<S::kPairs, S::kNeeded>{dealt, masks, words}, words);
  }
};

struct RunMask {
  Word* own;
  const Word *g, *p;
  std::size_t words;
  template <class S>
  void operator()(S) const {
    each_place(MaskNode<S::kPairs, S::kNeeded>{own, g, p, words}, words);
  }
};

struct RunClose {
  Word *g_out, *p_out;
  const Word *g, *p, *own, *theirs, *dealt;
  std::size_t words;
  template <class S>
  void operator()(S) const {
    each_place(CloseNode<S::kPairs, S::kNeeded>{g_out, p_out, g, p, own, theirs, dealt, words},
               words);
  }
};

void deal_node(Node node, Word* dealt, const Word* masks, std::size_t words) {
  with_shape(node, RunDeal{dealt, masks, words});
}

void mask_node(Node node, Word* own, const Word* g, const Word* p, std::size_t words) {
  with_shape(node, RunMask{own, g, p, words});
}

void close_node(Node node, const NodeWords& at, std::size_t words) {
  with_shape(node, RunClose{at.g_out, at.p_out, at.g, at.p, at.own, at.theirs, at.dealt, words});
}
