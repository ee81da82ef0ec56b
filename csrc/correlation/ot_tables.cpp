#include <algorithm>

#include "bits/bits.h"
#include "correlation/harmonics.h"
#include "correlation/ot_bits.h"
#include "correlation/tables.h"
#include "ring/ring.h"

namespace petcore::correlation {
namespace {

using bits::num_words;
using ot::Ring;

std::uint64_t half_at(ConstWords x, std::size_t i) {
  return x[i / 2] >> (32 * (i % 2)) & 0xffffffff;
}

// Digit rows from shared bits: with top bit t and the rows L of the bits below they are t | L_v,
// then t, then t & L_v (as digit_table).
void add_rows(Making& making, std::uint64_t* out, const std::uint64_t* bit_rows,
              const Digits& digits, std::size_t words) {
  const std::size_t rows = digits.rows_per_digit() * words;
  for (unsigned k = 0; k < digits.bits; ++k) {
    const std::size_t below = (std::size_t{1} << k) - 1;
    Ands ands(words);
    for (unsigned j = 0; j < digits.count && below > 0; ++j) {
      std::vector<const std::uint64_t*> lower;
      std::vector<std::uint64_t*> both;
      for (std::size_t v = 0; v < below; ++v) {
        lower.push_back(out + j * rows + v * words);
        both.push_back(out + j * rows + (below + 1 + v) * words);
      }
      ands.add(bit_rows + (j * digits.bits + k) * words, std::move(lower), std::move(both));
    }
    ands.run(making);
    for (unsigned j = 0; j < digits.count; ++j) {
      const std::uint64_t* top = bit_rows + (j * digits.bits + k) * words;
      std::uint64_t* digit = out + j * rows;
      for (std::size_t v = 0; v < below; ++v)
        for (std::size_t w = 0; w < words; ++w)
          digit[v * words + w] ^= top[w] ^ digit[(below + 1 + v) * words + w];
      std::copy_n(top, words, digit + below * words);
    }
  }
}

void make_digit_rows(Making& making, Words out, Words r, const Digits& digits) {
  if (digits.count == 0) return;
  const std::size_t words = num_words(r.size());
  Buffer<std::uint64_t> shifted(r.size()), bit_rows(digits.width() * words);
  ring::shift_right(shifted.span(), r, digits.low);
  bits::to_slices(bit_rows.span(), shifted.span(), digits.width());
  add_rows(making, out.data(), bit_rows.data(), digits, words);
  std::copy_n(bit_rows.end() - words, words, out.end() - words);
  word_from_bits(making, r, digits.low + digits.width());
}

// One block of angles, each a sum a0 + a1 of which a party knows a part, and
//   cos(a0 + a1) = cos a0 cos a1 + sin a1 (-sin a0),  sin(a0 + a1) = sin a0 cos a1 + sin a1 cos a0.
// In every product one party chooses, by the bits of its factor plus one, among the rounded
// multiples of the other's: so the sum has the fraction bits that it is wanted with.
class Block {
 public:
  Block(const Waves& waves, int party, ConstWords angles)
      : party_(party),
        n_(angles.size()),
        narrow_(waves.width == 32),
        bits_(wave_bits(waves.width)),
        count_(waves.count),
        harmonics_(angles, waves.period_bits, waves.step),
        choices_(num_words(total())),
        factors_(total()),
        sums_(2 * count_ * n_) {
    std::fill(choices_.begin(), choices_.end(), 0);
    for (unsigned k = 0; k < count_; ++k) {
      if (k > 0) harmonics_.next();
      const Harmonics::Row &c = harmonics_.cosine(), &s = harmonics_.sine();
      for (std::size_t i = 0; i < n_; ++i) {
        set(2 * k, i, party_ == 0 ? c[i] : s[i], party_ == 0 ? -s[i] : c[i]);
        set(2 * k + 1, i, s[i], c[i]);
      }
    }
  }

  void make(Making& making) {
    Buffer<std::uint64_t> out(total());
    making.ot.cross_bits(making.step, out.span(), choices_.span(), factors_.span(), total(),
                         Ring::words);
    for (std::size_t row = 0; row < 2 * count_; ++row)
      for (std::size_t b = 0; b < bits_; ++b)
        for (std::size_t i = 0; i < n_; ++i) sums_[row * n_ + i] += out[at(row, b, i)];
  }

  // row gives number i of a row, in words or in 32 bits: the top half of a word, of which the two
  // parties' are one too little on average.
  std::uint64_t get(std::size_t row, std::size_t i) const {
    const std::uint64_t sum = sums_[row * n_ + i];
    return narrow_ ? ((sum >> 32) + (party_ == 0 ? 1 : 0)) & 0xffffffff : sum;
  }

 private:
  std::size_t total() const { return 2 * count_ * bits_ * n_; }
  std::size_t at(std::size_t row, std::size_t b, std::size_t i) const {
    return (row * bits_ + b) * n_ + i;
  }
  double scale(int exponent) const {
    const unsigned fraction = narrow_ ? wave_scale(32) + 32 : wave_scale(64);
    return std::bit_cast<double>(
        static_cast<std::uint64_t>(1023 + static_cast<int>(fraction) + exponent) << 52);
  }

  void set(std::size_t row, std::size_t i, double chosen, double factor) {
    const double unit = static_cast<double>(std::uint64_t{1} << (bits_ - 1));
    const std::uint64_t number = round_scaled(chosen + 1.0, unit);
    const std::uint64_t choice = number - (number >> bits_);  // 2 itself is one unit too much
    for (unsigned b = 0; b < bits_; ++b) {
      const std::size_t index = at(row, b, i);
      choices_[index / 64] |= (choice >> b & 1) << (index % 64);
      factors_[index] =
          round_scaled(factor, scale(static_cast<int>(b) + 1 - static_cast<int>(bits_)));
    }
    sums_[row * n_ + i] = 0 - round_scaled(factor, scale(0));
  }

  int party_;
  std::size_t n_;
  bool narrow_;
  unsigned bits_;
  std::size_t count_;
  Harmonics harmonics_;
  Buffer<std::uint64_t> choices_, factors_, sums_;
};

void make_wave_rows(Making& making, Words out, ConstWords r, const Waves& waves) {
  const std::size_t row_words = wave_words(waves, r.size());
  if (waves.width == 32) std::fill(out.begin(), out.end(), 0);
  for (std::size_t begin = 0; begin < r.size(); begin += Harmonics::kBlock) {
    const std::size_t n = std::min(Harmonics::kBlock, r.size() - begin);
    Block block(waves, making.party, r.subspan(begin, n));
    block.make(making);
    for (std::size_t row = 0; row < 2 * waves.count; ++row)
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t value = block.get(row, i);
        if (waves.width == 64)
          out[row * row_words + begin + i] = value;
        else
          out[row * row_words + (begin + i) / 2] |= value << (32 * (i % 2));
      }
  }
}

}  // namespace

void word_from_bits(Making& making, Words b, unsigned width) {
  // Bit i of b0 & b1 counts 2^(i + 1): the top bit of a word does not.
  const std::size_t counted = std::min(width, 63u);
  if (counted == 0) return;
  constexpr std::size_t kBitsPerCall = std::size_t{1} << 18;
  const std::size_t n_max = std::min(b.size(), kBitsPerCall / counted);
  const Ring ring = counted < 32 ? Ring::halves : Ring::words;
  Buffer<std::uint64_t> packed(num_words(n_max * counted));
  Buffer<std::uint64_t> both(ot::words_of(ring, n_max * counted));
  for (std::size_t begin = 0; begin < b.size(); begin += n_max) {
    const Words own = b.subspan(begin, std::min(n_max, b.size() - begin));
    const std::size_t total = own.size() * counted;
    const Words choices = packed.span().first(num_words(total));
    const Words out = both.span().first(ot::words_of(ring, total));
    std::fill(choices.begin(), choices.end(), 0);
    for (std::size_t i = 0; i < own.size(); ++i)
      for (std::size_t j = 0; j < counted; ++j) {
        const std::size_t at = i * counted + j;
        choices[at / 64] |= (own[i] >> j & 1) << (at % 64);
      }
    making.ot.bit_products(making.step, out, choices, total, ring);
    for (std::size_t i = 0; i < own.size(); ++i) {
      std::uint64_t sum = 0;
      for (std::size_t j = 0; j < counted; ++j) {
        const std::size_t at = i * counted + j;
        sum += (ring == Ring::words ? out[at] : half_at(out, at)) << j;
      }
      own[i] -= 2 * sum;
    }
  }
}

void make_digits(Making& making, const Request& request, std::uint64_t, Chunk& chunk) {
  make_digit_rows(making, chunk.products[0].span(), chunk.masks[0].span(), digits_of(request));
}

void make_waves(Making& making, const Request& request, std::uint64_t, Chunk& chunk) {
  make_digit_rows(making, chunk.products[1].span(), chunk.masks[0].span(), digits_of(request));
  make_wave_rows(making, chunk.products[0].span(), chunk.masks[0].span(), waves_of(request));
}

}  // namespace petcore::correlation
