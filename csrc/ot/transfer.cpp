#include "ot/transfer.h"

#include <algorithm>

#include "base/error.h"
#include "bits/bits.h"
#include "ot/pads.h"
#include "ot/sixteen.h"

namespace petcore::ot {
namespace {

constexpr std::size_t kAtOnce = std::size_t{1} << 13;  // transfers in memory

std::uint64_t mask_of_width(unsigned width) { return ~std::uint64_t{0} >> (64 - width); }

void check_strings(unsigned width, bool fit) {
  check(width >= 1 && width <= 64, Code::usage, "oblivious transfer: strings have 1 to 64 bits");
  check(fit, Code::usage, "oblivious transfer: sizes differ");
}

// in_blocks calls work(begin, n) for runs of whole words of choices.
template <class Work>
void in_blocks(std::size_t n, const Work& work) {
  for (std::size_t begin = 0; begin < n; begin += kAtOnce)
    work(begin, std::min(kAtOnce, n - begin));
}

// Line packs strings for the peer, and unpacks its strings.
class Line {
 public:
  Line(net::Channel& channel, const net::Step& step, unsigned width)
      : channel_(channel), step_(step), width_(width) {}

  void send(ConstWords strings) {
    Buffer<std::uint64_t> packed(width_ * bits::num_words(strings.size()));
    bits::to_slices(packed.span(), strings, width_);
    channel_.send(step_, std::as_bytes(packed.span()));
  }
  void recv(Words strings) {
    Buffer<std::uint64_t> packed(width_ * bits::num_words(strings.size()));
    channel_.recv(step_, std::as_writable_bytes(packed.span()));
    bits::from_slices(strings, packed.span(), width_);
  }

 private:
  net::Channel& channel_;
  const net::Step& step_;
  unsigned width_;
};

std::uint64_t choice_mask(ConstWords choices, std::size_t i) {
  return 0 - (choices[i / 64] >> i % 64 & 1);
}

// Both are the sender's pads of a block of transfers.
struct Both {
  Pads x, y;
  Words x0, x1;

  void make(std::span<const Block> q, Block delta, std::uint64_t& used) {
    x0 = x.low_words(q, {}, {0, used});
    x1 = y.low_words(q, delta, {0, used});
    used += q.size();
  }
};

}  // namespace

void TransferSender::random(const net::Step& step, Words x0, Words x1, unsigned width) {
  check_strings(width, x0.size() == x1.size());
  Buffer<Block> q(std::min(x0.size(), kAtOnce));
  Both pads;
  in_blocks(x0.size(), [&](std::size_t begin, std::size_t n) {
    cot_.extend(step, q.span().first(n));
    pads.make(q.span().first(n), cot_.delta(), used_);
    for (std::size_t i = 0; i < n; ++i) {
      x0[begin + i] = pads.x0[i] & mask_of_width(width);
      x1[begin + i] = pads.x1[i] & mask_of_width(width);
    }
  });
}

void TransferSender::correlated(const net::Step& step, Words x, ConstWords differences,
                                unsigned width) {
  check_strings(width, x.size() == differences.size());
  Buffer<Block> q(std::min(x.size(), kAtOnce));
  Buffer<std::uint64_t> correction(q.size());
  Both pads;
  Line line(*channel_, step, width);
  in_blocks(x.size(), [&](std::size_t begin, std::size_t n) {
    cot_.extend(step, q.span().first(n));
    pads.make(q.span().first(n), cot_.delta(), used_);
    for (std::size_t i = 0; i < n; ++i) {
      correction[i] = pads.x0[i] + differences[begin + i] - pads.x1[i];
      x[begin + i] = pads.x0[i] & mask_of_width(width);
    }
    line.send(correction.span().first(n));
  });
}

void TransferSender::chosen(const net::Step& step, ConstWords x0, ConstWords x1, unsigned width) {
  check_strings(width, x0.size() == x1.size());
  Buffer<Block> q(std::min(x0.size(), kAtOnce));
  Both pads;
  Line line(*channel_, step, width);
  in_blocks(x0.size(), [&](std::size_t begin, std::size_t n) {
    cot_.extend(step, q.span().first(n));
    pads.make(q.span().first(n), cot_.delta(), used_);
    for (std::size_t i = 0; i < n; ++i) {
      pads.x0[i] ^= x0[begin + i];
      pads.x1[i] ^= x1[begin + i];
    }
    line.send(pads.x0);
    line.send(pads.x1);
  });
}

void TransferSender::chosen_of_16(const net::Step& step, ConstWords strings, unsigned width) {
  check_strings(width, strings.size() % kEntries == 0);
  const std::array<Block, kEntries> multiples = multiples_of(cot_.delta());
  Pads pads;
  Line line(*channel_, step, width);
  in_blocks(strings.size() / kEntries, [&](std::size_t begin, std::size_t n) {
    const std::size_t padded = 64 * bits::num_words(n);
    Buffer<Block> q(kIndexBits * padded);
    cot_.extend(step, q.span());
    const Buffer<Block> joined = join(q.span());
    for (std::size_t v = 0; v < kEntries; ++v) {
      const Words pad = pads.low_words(joined.span().first(n), multiples[v], {0, used_});
      for (std::size_t i = 0; i < n; ++i) pad[i] ^= strings[kEntries * (begin + i) + v];
      line.send(pad);
    }
    used_ += q.size();
  });
}

void TransferReceiver::random(const net::Step& step, Words out, ConstWords choices,
                              unsigned width) {
  check_strings(width, choices.size() == bits::num_words(out.size()));
  Buffer<Block> t(std::min(out.size(), kAtOnce));
  Pads pads;
  in_blocks(out.size(), [&](std::size_t begin, std::size_t n) {
    cot_.extend(step, choices.subspan(begin / 64, bits::num_words(n)), t.span().first(n));
    const Words pad = pads.low_words(t.span().first(n), {}, {0, used_});
    used_ += n;
    for (std::size_t i = 0; i < n; ++i) out[begin + i] = pad[i] & mask_of_width(width);
  });
}

void TransferReceiver::correlated(const net::Step& step, Words out, ConstWords choices,
                                  unsigned width) {
  check_strings(width, choices.size() == bits::num_words(out.size()));
  Buffer<Block> t(std::min(out.size(), kAtOnce));
  Buffer<std::uint64_t> correction(t.size());
  Pads pads;
  Line line(*channel_, step, width);
  in_blocks(out.size(), [&](std::size_t begin, std::size_t n) {
    const ConstWords own = choices.subspan(begin / 64, bits::num_words(n));
    cot_.extend(step, own, t.span().first(n));
    const Words pad = pads.low_words(t.span().first(n), {}, {0, used_});
    used_ += n;
    line.recv(correction.span().first(n));
    for (std::size_t i = 0; i < n; ++i)
      out[begin + i] = (pad[i] + (correction[i] & choice_mask(own, i))) & mask_of_width(width);
  });
}

void TransferReceiver::chosen(const net::Step& step, Words out, ConstWords choices,
                              unsigned width) {
  check_strings(width, choices.size() == bits::num_words(out.size()));
  Buffer<Block> t(std::min(out.size(), kAtOnce));
  Buffer<std::uint64_t> first(t.size()), second(t.size());
  Pads pads;
  Line line(*channel_, step, width);
  in_blocks(out.size(), [&](std::size_t begin, std::size_t n) {
    const ConstWords own = choices.subspan(begin / 64, bits::num_words(n));
    cot_.extend(step, own, t.span().first(n));
    const Words pad = pads.low_words(t.span().first(n), {}, {0, used_});
    used_ += n;
    line.recv(first.span().first(n));
    line.recv(second.span().first(n));
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t sent = first[i] ^ ((first[i] ^ second[i]) & choice_mask(own, i));
      out[begin + i] = (pad[i] ^ sent) & mask_of_width(width);
    }
  });
}

void TransferReceiver::chosen_of_16(const net::Step& step, Words out, ConstWords indices,
                                    unsigned width) {
  const std::size_t words = bits::num_words(out.size());
  check_strings(width, indices.size() == kIndexBits * words);
  Buffer<std::uint64_t> entry(std::min(out.size(), kAtOnce));
  Pads pads;
  Line line(*channel_, step, width);
  in_blocks(out.size(), [&](std::size_t begin, std::size_t n) {
    const std::size_t size = bits::num_words(n);
    Buffer<std::uint64_t> choices(kIndexBits * size);
    for (std::size_t b = 0; b < kIndexBits; ++b)
      std::ranges::copy(indices.subspan(b * words + begin / 64, size),
                        choices.begin() + static_cast<std::ptrdiff_t>(b * size));
    Buffer<Block> t(kIndexBits * 64 * size);
    cot_.extend(step, choices.span(), t.span());
    const Buffer<Block> joined = join(t.span());
    const Words pad = pads.low_words(joined.span().first(n), {}, {0, used_});
    used_ += t.size();
    for (std::size_t v = 0; v < kEntries; ++v) {
      line.recv(entry.span().first(n));
      for (std::size_t i = 0; i < n; ++i) {
        std::uint64_t chosen = ~std::uint64_t{0};
        for (std::size_t b = 0; b < kIndexBits; ++b)
          chosen &= choice_mask(choices.span().subspan(b * size, size), i) ^ ((v >> b & 1) - 1);
        pad[i] ^= entry[i] & chosen;
      }
    }
    for (std::size_t i = 0; i < n; ++i) out[begin + i] = pad[i] & mask_of_width(width);
  });
}

}  // namespace petcore::ot
