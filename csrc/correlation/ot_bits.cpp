#include "correlation/ot_bits.h"

#include <algorithm>

#include "bits/bits.h"
#include "bits/flags.h"
#include "bits/gates.h"
#include "correlation/trees.h"
#include "ring/ring.h"

namespace petcore::correlation {
namespace {

using bits::num_words;
using ot::Ring;

// Numbers of 32 bits, two to a word, one by one.
template <class F>
void each_half(Words out, std::uint64_t units, const F& value) {
  std::fill(out.begin(), out.end(), 0);
  for (std::uint64_t i = 0; i < units; ++i)
    out[i / 2] |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(value(i)))
                  << (32 * (i % 2));
}
std::uint32_t half_at(ConstWords x, std::uint64_t i) {
  return static_cast<std::uint32_t>(x[i / 2] >> (32 * (i % 2)));
}
std::uint32_t bit_at(ConstWords packed, std::uint64_t i) {
  return static_cast<std::uint32_t>(packed[i / 64] >> (i % 64) & 1);
}

// A bit r = r0 + r1 - 2 r0 r1; times a number: r0 a0 + r1 a1 + r0 (a1 - 2 r1 a1) + r1 (a0 - 2 r0
// a0). For the two strings of each choice, the number and one: own words a - 2 r a and -r.
void bit_strings(Words out, ConstWords bit, ConstWords a) {
  const std::size_t n = a.size();
  bits::keep(out.first(n), a, bit);
  bits::expand(out.subspan(n), bit);
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] - 2 * out[i];
  ring::neg(out.subspan(n), out.subspan(n));
}

}  // namespace

void Ands::add(const std::uint64_t* x, std::vector<const std::uint64_t*> y,
               std::vector<std::uint64_t*> outs) {
  jobs_.push_back({x, std::move(y), std::move(outs)});
}

void Ands::run(Making& making) {
  std::stable_sort(jobs_.begin(), jobs_.end(),
                   [](const Job& a, const Job& b) { return a.y.size() < b.y.size(); });
  for (std::size_t begin = 0, end = 0; begin < jobs_.size(); begin = end) {
    const std::size_t strings = jobs_[begin].y.size();
    while (end < jobs_.size() && jobs_[end].y.size() == strings) ++end;
    run_jobs(making, std::span(jobs_).subspan(begin, end - begin), strings);
  }
  jobs_.clear();
}

void Ands::run_jobs(Making& making, std::span<const Job> jobs, std::size_t strings) {
  const std::size_t all = jobs.size() * words_;
  Buffer<std::uint64_t> x(all), y(strings * all), crossed(strings * all);
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    std::copy_n(jobs[j].x, words_, x.data() + j * words_);
    for (std::size_t s = 0; s < strings; ++s)
      std::copy_n(jobs[j].y[s], words_, y.data() + s * all + j * words_);
  }
  making.ot.cross_bits(making.step, crossed.span(), x.span(), y.span(), 64 * all, Ring::bits,
                       strings);
  for (std::size_t j = 0; j < jobs.size(); ++j)
    for (std::size_t s = 0; s < strings; ++s) {
      const std::uint64_t* from = crossed.data() + s * all + j * words_;
      const std::uint64_t* yy = y.data() + s * all + j * words_;
      for (std::size_t w = 0; w < words_; ++w)
        jobs[j].outs[s][w] = from[w] ^ (x[j * words_ + w] & yy[w]);
    }
}

void make_and(Making& making, Chunk& chunk, std::size_t num_pairs) {
  Ands ands(chunk.masks[0].size());
  std::vector<const std::uint64_t*> y;
  std::vector<std::uint64_t*> outs;
  for (std::size_t i = 0; i < num_pairs; ++i) {
    y.push_back(chunk.masks[i + 1].data());
    outs.push_back(chunk.products[i].data());
  }
  ands.add(chunk.masks[0].data(), std::move(y), std::move(outs));
  ands.run(making);
}

void make_dabit(Making& making, const Request&, std::uint64_t units, Chunk& chunk) {
  const Words out = chunk.products[0].span();
  making.ot.bit_products(making.step, out, chunk.masks[0].span(), units, Ring::words);
  Buffer<std::uint64_t> own(units);
  bits::expand(own.span(), chunk.masks[0].span());
  for (std::uint64_t i = 0; i < units; ++i) out[i] = own[i] - 2 * out[i];
}

void make_bit_product(Making& making, std::uint64_t units, Chunk& chunk) {
  const ConstWords bit = chunk.masks[0].span(), a = chunk.masks[1].span();
  Buffer<std::uint64_t> strings(2 * units), crossed(2 * units);
  bit_strings(strings.span(), bit, a);
  making.ot.cross_bits(making.step, crossed.span(), bit, strings.span(), units, Ring::words, 2);
  const Words number = chunk.products[0].span(), product = chunk.products[1].span();
  bits::expand(number, bit);
  ring::add(number, number, crossed.span().subspan(units));
  bits::keep(product, a, bit);
  ring::add(product, product, crossed.span().first(units));
}

void make_half_select(Making& making, const Request& request, std::uint64_t units, Chunk& chunk) {
  const ConstWords bit = chunk.masks[0].span(), a = chunk.masks[1].span();
  const std::size_t words = half_words(units);
  Buffer<std::uint64_t> strings(2 * words), crossed(2 * words);
  each_half(strings.span().first(words), units,
            [&](std::uint64_t i) { return half_at(a, i) - 2 * bit_at(bit, i) * half_at(a, i); });
  each_half(strings.span().subspan(words), units,
            [&](std::uint64_t i) { return 0 - bit_at(bit, i); });
  making.ot.cross_bits(making.step, crossed.span(), bit, strings.span(), units, Ring::halves, 2);
  const ConstWords product = crossed.span().first(words), number = crossed.span().subspan(words);
  each_half(chunk.products[0].span(), units,
            [&](std::uint64_t i) { return half_at(number, i) + bit_at(bit, i); });
  each_half(chunk.products[1].span(), units,
            [&](std::uint64_t i) { return half_at(product, i) + bit_at(bit, i) * half_at(a, i); });
  if (request.dims[0] == 0) return;
  const ConstWords other = chunk.masks[2].span();
  Buffer<std::uint64_t> both(words);
  making.ot.bit_products(making.step, both.span(), other, units, Ring::halves);
  each_half(chunk.products[2].span(), units,
            [&](std::uint64_t i) { return bit_at(other, i) - 2 * half_at(both.span(), i); });
}

void make_bit_bytes(Making& making, const Request& request, std::uint64_t units, Chunk& chunk) {
  const std::uint64_t rows = request.dims[0], padded = 64 * num_words(units);
  const ConstWords own = chunk.masks[0].span();
  Buffer<std::uint64_t> both(rows * padded / 8);
  making.ot.bit_products(making.step, both.span(), own, rows * padded, Ring::bytes);
  const auto* from = reinterpret_cast<const std::uint8_t*>(both.data());
  chunk.products[0][chunk.products[0].size() - 1] = 0;
  auto* to = reinterpret_cast<std::uint8_t*>(chunk.products[0].data());
  for (std::uint64_t r = 0; r < rows; ++r)
    for (std::uint64_t i = 0; i < units; ++i)
      to[r * units + i] =
          static_cast<std::uint8_t>(bit_at(own, r * padded + i) - 2u * from[r * padded + i]);
}

}  // namespace petcore::correlation
