// Products of bits with strings of a ring, and look-ups in tables of sixteen.
#include <algorithm>
#include <array>
#include <span>

#include "base/error.h"
#include "bits/bits.h"
#include "ot/pads.h"
#include "ot/products_state.h"
#include "ot/softspoken.h"

namespace petcore::ot {
namespace {

constexpr std::size_t kTransfers = kSoftSpokenBlock;       // at most, in a block
constexpr std::size_t kBlockBytes = std::size_t{1} << 18;  // of strings, about, in a block

// Strings: one direction of products of bits with strings.
struct Strings {
  Ring ring;
  std::size_t count;  // strings for each choice
  std::size_t total;  // of choices in the caller's vectors
  Part part;          // of them, in this direction

  std::size_t per_block() const {
    const std::size_t fit = kBlockBytes / (words_of(ring, 64) * count * 8) * 64;
    return std::clamp<std::size_t>(fit, 64, kTransfers);
  }
  std::size_t blocks() const { return (part.n + per_block() - 1) / per_block(); }
  // block gives indices of the caller's vectors.
  Part block(std::size_t i) const {
    const std::size_t begin = i * per_block();
    return {part.begin + begin, std::min(per_block(), part.n - begin)};
  }
  // at is where string s of the block lies in one of the caller's vectors.
  template <class ASpan>
  ASpan at(ASpan vectors, const Part& block, std::size_t s) const {
    const std::size_t begin = s * words_of(ring, total) + words_of(ring, block.begin);
    return vectors.subspan(begin, words_of(ring, block.n));
  }
  // A pad has two words; each serves so many strings.
  std::size_t per_word() const {
    switch (ring) {
      case Ring::bits:
        return 64;
      case Ring::bytes:
        return 8;
      case Ring::halves:
        return 2;
      case Ring::words:
        return 1;
    }
    return 1;
  }
};

template <class Direction>
Direction strings_half(const Strings& strings) {
  Direction half;
  half.num_blocks = strings.blocks();
  half.transfers = [=](std::size_t i) { return strings.block(i).n; };
  half.bytes = [=](std::size_t i) {
    return strings.count * words_of(strings.ring, strings.block(i).n) * 8;
  };
  return half;
}

// PadStrings makes string s of every transfer of a piece, as a vector of the ring.
class PadStrings {
 public:
  explicit PadStrings(const Strings& strings) : strings_(strings) {
    if (strings.ring == Ring::bits)
      slices_ = Buffer<std::uint64_t>(std::min<std::size_t>(strings.count, 64) *
                                      bits::num_words(kPadsAtOnce));
  }

  void start(std::span<const Block> x, Block offset, hash::Tweak first) {
    x_ = x;
    offset_ = offset;
    first_ = first;
  }

  // get fills out for s = 0, 1, 2, ... in turn.
  void get(Words out, std::size_t s) {
    const std::size_t word = s / strings_.per_word(), within = s % strings_.per_word();
    if (within == 0) load(word);
    switch (strings_.ring) {
      case Ring::bits:
        std::ranges::copy(slices_.span().subspan(within * out.size(), out.size()), out.begin());
        return;
      case Ring::bytes:
        return cut<std::uint8_t>(out, 8 * within);
      case Ring::halves:
        return cut<std::uint32_t>(out, 32 * within);
      case Ring::words:
        return cut<std::uint64_t>(out, 0);
    }
  }

 private:
  void load(std::size_t word) {
    const bool only_low = strings_.count <= strings_.per_word();
    if (word % 2 == 0) {
      first_.high = word / 2;
      if (!only_low) pads_.hash(x_, offset_, first_);
    }
    words_ = only_low ? pads_.low_words(x_, offset_, first_) : pads_.word(word % 2);
    if (strings_.ring != Ring::bits) return;
    const std::size_t width = std::min<std::size_t>(strings_.count - 64 * word, 64);
    bits::to_slices(slices_.span().first(width * bits::num_words(x_.size())), words_,
                    static_cast<unsigned>(width));
  }

  template <class T>
  void cut(Words out, std::size_t shift) const {
    out.back() = 0;
    T* const to = reinterpret_cast<T*>(out.data());
    for (std::size_t i = 0; i < words_.size(); ++i) to[i] = static_cast<T>(words_[i] >> shift);
  }

  Strings strings_;
  std::span<const Block> x_;
  Block offset_;
  hash::Tweak first_;
  Pads pads_;
  Words words_;
  Buffer<std::uint64_t> slices_;
};

// Scratch is memory of one direction of one call.
struct Scratch {
  PadStrings x, y;
  Buffer<std::uint64_t> of_x, of_y;

  explicit Scratch(const Strings& strings)
      : x(strings),
        y(strings),
        of_x(words_of(strings.ring, kPadsAtOnce)),
        of_y(words_of(strings.ring, kPadsAtOnce)) {}
};

// in_pieces cuts a block into parts (of the block) whose pads are made together.
template <class Work>
void in_pieces(std::size_t n, const Work& work) {
  for (std::size_t begin = 0; begin < n; begin += kPadsAtOnce)
    work(Part{begin, std::min(kPadsAtOnce, n - begin)});
}

std::uint64_t bit_mask(ConstWords bits, std::size_t i) { return 0 - (bits[i / 64] >> i % 64 & 1); }

// send: wire = x - y + w, share = share - x.
template <class T>
void send_typed(Words share, Words wire, ConstWords w, ConstWords x, ConstWords y, std::size_t n) {
  T* const s = reinterpret_cast<T*>(share.data());
  T* const d = reinterpret_cast<T*>(wire.data());
  const T* const own = reinterpret_cast<const T*>(w.data());
  const T* const px = reinterpret_cast<const T*>(x.data());
  const T* const py = reinterpret_cast<const T*>(y.data());
  wire.back() = 0;
  for (std::size_t i = 0; i < n; ++i) {
    d[i] = static_cast<T>(px[i] - py[i] + own[i]);
    s[i] = static_cast<T>(s[i] - px[i]);
  }
}

void send_string(Ring ring, Words share, Words wire, ConstWords w, ConstWords x, ConstWords y,
                 std::size_t n) {
  switch (ring) {
    case Ring::bits:
      for (std::size_t i = 0; i < share.size(); ++i) {
        wire[i] = x[i] ^ y[i] ^ w[i];
        share[i] ^= x[i];
      }
      return;
    case Ring::bytes:
      return send_typed<std::uint8_t>(share, wire, w, x, y, n);
    case Ring::halves:
      return send_typed<std::uint32_t>(share, wire, w, x, y, n);
    case Ring::words:
      return send_typed<std::uint64_t>(share, wire, w, x, y, n);
  }
}

// take: share = share + pad + c wire.
template <class T>
void take_typed(Words share, ConstWords wire, ConstWords c, ConstWords pads, std::size_t n) {
  T* const s = reinterpret_cast<T*>(share.data());
  const T* const d = reinterpret_cast<const T*>(wire.data());
  const T* const pad = reinterpret_cast<const T*>(pads.data());
  for (std::size_t i = 0; i < n; ++i)
    s[i] = static_cast<T>(s[i] + pad[i] + (d[i] & static_cast<T>(bit_mask(c, i))));
}

void take_string(Ring ring, Words share, ConstWords wire, ConstWords c, ConstWords pads,
                 std::size_t n) {
  switch (ring) {
    case Ring::bits:
      for (std::size_t i = 0; i < share.size(); ++i) share[i] ^= pads[i] ^ (c[i] & wire[i]);
      return;
    case Ring::bytes:
      return take_typed<std::uint8_t>(share, wire, c, pads, n);
    case Ring::halves:
      return take_typed<std::uint32_t>(share, wire, c, pads, n);
    case Ring::words:
      return take_typed<std::uint64_t>(share, wire, c, pads, n);
  }
}

// wire_of is where string s of a piece lies in the corrections of a block of n.
template <class AWord, class ABytes>
std::span<AWord> wire_of(const Strings& strings, ABytes wire, std::size_t n, const Part& piece,
                         std::size_t s) {
  auto* const words = reinterpret_cast<AWord*>(wire.data());
  return {words + s * words_of(strings.ring, n) + words_of(strings.ring, piece.begin),
          words_of(strings.ring, piece.n)};
}

// Own gives string s of some of this party's indices.
using Own = std::function<ConstWords(const Part& part, std::size_t s)>;

Sending send_strings(const Strings& strings, Words out, const Own& own, Block delta,
                     Scratch& scratch) {
  auto half = strings_half<Sending>(strings);
  half.correct = [=, &scratch](std::size_t i, std::span<const Block> q, hash::Tweak first,
                               Bytes wire) {
    const Part block = strings.block(i);
    in_pieces(block.n, [&](const Part& piece) {
      const Part part{block.begin + piece.begin, piece.n};
      const std::size_t size = words_of(strings.ring, piece.n);
      const Words x = scratch.of_x.span().first(size), y = scratch.of_y.span().first(size);
      scratch.x.start(q.subspan(piece.begin, piece.n), {}, later(first, piece.begin));
      scratch.y.start(q.subspan(piece.begin, piece.n), delta, later(first, piece.begin));
      for (std::size_t s = 0; s < strings.count; ++s) {
        scratch.x.get(x, s);
        scratch.y.get(y, s);
        send_string(strings.ring, strings.at(out, part, s),
                    wire_of<std::uint64_t>(strings, wire, block.n, piece, s), own(part, s), x, y,
                    piece.n);
      }
    });
  };
  return half;
}

Receiving ask_strings(const Strings& strings, Words out, ConstWords choices, Scratch& scratch) {
  auto half = strings_half<Receiving>(strings);
  const auto choices_of = [=](const Part& part) {
    return choices.subspan(part.begin / 64, bits::num_words(part.n));
  };
  half.choose = [=](std::size_t i, Words to) {
    std::ranges::copy(choices_of(strings.block(i)), to.begin());
  };
  half.take = [=, &scratch](std::size_t i, std::span<const Block> t, hash::Tweak first,
                            ConstBytes wire) {
    const Part block = strings.block(i);
    in_pieces(block.n, [&](const Part& piece) {
      const Part part{block.begin + piece.begin, piece.n};
      const Words x = scratch.of_x.span().first(words_of(strings.ring, piece.n));
      scratch.x.start(t.subspan(piece.begin, piece.n), {}, later(first, piece.begin));
      for (std::size_t s = 0; s < strings.count; ++s) {
        scratch.x.get(x, s);
        take_string(strings.ring, strings.at(out, part, s),
                    wire_of<const std::uint64_t>(strings, wire, block.n, piece, s),
                    choices_of(part), x, piece.n);
      }
    });
  };
  return half;
}

// clear_tail keeps what lies beyond n elements of a vector zero.
void clear_tails(Words out, Ring ring, std::size_t n, std::size_t count) {
  const std::size_t size = words_of(ring, n);
  const std::size_t bits = ring == Ring::bits ? 1 : ring == Ring::bytes ? 8 : 32;
  if (ring == Ring::words || n * bits % 64 == 0) return;
  for (std::size_t s = 0; s < count; ++s)
    out[(s + 1) * size - 1] &= ~std::uint64_t{0} >> (64 - n * bits % 64);
}

// numbers_of writes bits as elements of a ring.
void numbers_of(Words out, ConstWords bits, std::size_t n, Ring ring) {
  if (ring == Ring::bits) {
    std::ranges::copy(bits, out.begin());
    return;
  }
  Buffer<std::uint8_t> unpacked(n);
  bits::unpack(unpacked.span(), bits);
  const auto write = [&]<class T>(T* to) {
    for (std::size_t i = 0; i < n; ++i) to[i] = unpacked[i];
  };
  if (ring == Ring::bytes) return write(reinterpret_cast<std::uint8_t*>(out.data()));
  if (ring == Ring::halves) return write(reinterpret_cast<std::uint32_t*>(out.data()));
  write(out.data());
}

}  // namespace

void Products::cross_bits(const net::Step& step, Words out, ConstWords own_bits,
                          ConstWords own_words, std::size_t n, Ring ring, std::size_t strings) {
  const std::size_t words = strings * words_of(ring, n);
  check(strings >= 1 && out.size() == words && own_words.size() == words &&
            own_bits.size() == bits::num_words(n),
        Code::usage, "cross_bits: sizes differ");
  std::ranges::fill(out, 0);
  if (n == 0) return;
  const Strings all{ring, strings, n, {0, n}};
  const Own own = [&](const Part& part, std::size_t s) { return all.at(own_words, part, s); };
  Scratch scratch(all), other(all);
  state_->flow.run(step, send_strings(all, out, own, state_->flow.delta(), scratch),
                   ask_strings(all, out, own_bits, other));
  clear_tails(out, ring, n, strings);
}

void Products::bit_products(const net::Step& step, Words out, ConstWords own_bits, std::size_t n,
                            Ring ring) {
  check(out.size() == words_of(ring, n) && own_bits.size() == bits::num_words(n), Code::usage,
        "bit_products: sizes differ");
  std::ranges::fill(out, 0);
  if (n == 0) return;
  const auto [sent, asked] = parts_of(state_->flow.party(), n, 64);
  const Strings sends{ring, 1, n, sent}, asks{ring, 1, n, asked};
  Buffer<std::uint64_t> numbers(words_of(ring, kPadsAtOnce));
  const Own own = [&](const Part& part, std::size_t) -> ConstWords {
    const Words of_part = numbers.span().first(words_of(ring, part.n));
    numbers_of(of_part, own_bits.subspan(part.begin / 64, bits::num_words(part.n)), part.n, ring);
    return of_part;
  };
  Scratch scratch(sends), other(asks);
  state_->flow.run(step, send_strings(sends, out, own, state_->flow.delta(), scratch),
                   ask_strings(asks, out, own_bits, other));
  clear_tails(out, ring, n, 1);
}

}  // namespace petcore::ot
