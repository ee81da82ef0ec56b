#include "protocol/semi2k/levels.h"

#include <algorithm>

#include "bits/bits.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::Request;

constexpr unsigned kCodeBits = 6;

// Scan: position j holds what the digits from the top down to digit (digits - 1 - j) say: state s
// whether those of r are those of c - (0, 1, -1)[s], and in public whether those of c are all 0,
// or all 3, so that a borrow, or a carry, comes in from below them.
class Scan {
 public:
  Scan(std::size_t n, const LevelShape& shape)
      : states_(shape.states()),
        digits_(shape.digits),
        equal_(n, states_ * digits_),
        passes_(n, (states_ - 1) * digits_) {}

  void add(int party, std::size_t chunk, ConstWords c, ConstWords table);
  void run(Env& env);
  // below gives the packed share of "x is below 4^level" for a chunk; zero whether it is zero.
  void below(Words out, std::size_t chunk, unsigned level);
  void zero(Words out, std::size_t chunk) {
    std::copy_n(equal(chunk, 0, digits_ - 1), out.size(), out.begin());
  }

 private:
  std::uint64_t* equal(std::size_t chunk, std::size_t state, std::size_t position) {
    return equal_.at(chunk, state * digits_ + position);
  }
  std::uint64_t* passes(std::size_t chunk, std::size_t state, std::size_t position) {
    return passes_.at(chunk, (state - 1) * digits_ + position);
  }
  // What a node multiplies by: the state of the digits above that its public digits lead to.
  std::uint64_t above(std::size_t chunk, std::size_t state, const Node& node, std::size_t w) {
    const std::uint64_t same = equal(chunk, 0, node.lo)[w];
    if (state == 0) return same;
    const std::uint64_t moved = equal(chunk, state, node.lo)[w];
    return same ^ ((same ^ moved) & passes(chunk, state, node.hi)[w]);
  }
  void run_layer(Env& env, std::span<const Node> nodes);

  std::size_t states_;
  unsigned digits_;
  Slices equal_, passes_;
};

void Scan::add(int party, std::size_t chunk, ConstWords c, ConstWords table) {
  const std::uint64_t mine = party == 0 ? ~std::uint64_t{0} : 0;
  const std::size_t words = equal_.words_in(chunk);
  for (std::size_t j = 0; j < digits_; ++j) {
    const std::size_t digit = digits_ - 1 - j;
    const std::uint64_t *c0 = c.data() + 2 * digit * words, *c1 = c0 + words;
    const std::uint64_t* row = table.data() + 3 * digit * words;
    for (std::size_t w = 0; w < words; ++w) {
      const std::uint64_t t0 = row[w], t1 = row[words + w], t2 = row[2 * words + w];
      const std::uint64_t is[4] = {mine ^ t0, t0 ^ t1, t1 ^ t2, t2};  // the digit of r is v
      const auto pick = [&](unsigned shift) {  // the digit of r is that of c plus shift
        const std::uint64_t low0 = is[shift % 4] ^ ((is[shift % 4] ^ is[(shift + 1) % 4]) & c0[w]);
        const std::uint64_t low1 =
            is[(shift + 2) % 4] ^ ((is[(shift + 2) % 4] ^ is[(shift + 3) % 4]) & c0[w]);
        return low0 ^ ((low0 ^ low1) & c1[w]);
      };
      equal(chunk, 0, j)[w] = pick(0);
      equal(chunk, 1, j)[w] = pick(3);
      passes(chunk, 1, j)[w] = ~(c0[w] | c1[w]);
      if (states_ < 3) continue;
      equal(chunk, 2, j)[w] = pick(1);
      passes(chunk, 2, j)[w] = c0[w] & c1[w];
    }
  }
}

void Scan::run_layer(Env& env, std::span<const Node> nodes) {
  const std::size_t ands = nodes.size() * states_, all_max = ands * equal_.words_in(0);
  Buffer<std::uint64_t> product(all_max);
  const auto produce = [&](std::size_t i, Words own) {
    const std::size_t words = equal_.words_in(i), all = ands * words;
    env.source.masks({own.first(all), own.subspan(all, all)});
    std::size_t at = 0;
    for (const Node& node : nodes)
      for (std::size_t s = 0; s < states_; ++s, at += words)
        for (std::size_t w = 0; w < words; ++w) {
          own[at + w] ^= equal(i, s, node.hi)[w];
          own[all + at + w] ^= above(i, s, node, w);
        }
    return 2 * all;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const std::size_t words = equal_.words_in(i), all = ands * words;
    env.source.products({product.span().first(all)});
    std::size_t at = 0;
    for (const Node& node : nodes) {
      for (std::size_t s = 0; s < states_; ++s, at += words)
        for (std::size_t w = 0; w < words; ++w) {
          const std::uint64_t d = own[at + w] ^ theirs[at + w];
          const std::uint64_t f = own[all + at + w] ^ theirs[all + at + w];
          std::uint64_t& z = equal(i, s, node.hi)[w];
          const std::uint64_t a = z ^ own[at + w];
          z = (d & above(i, s, node, w)) ^ (f & a) ^ product[at + w];
        }
      for (std::size_t s = 1; s < states_; ++s)
        for (std::size_t w = 0; w < words; ++w)
          passes(i, s, node.hi)[w] &= passes(i, s, node.lo)[w];
    }
  };
  run_exchange(env, other(env.party), {equal_.num_chunks(), 2 * all_max, produce, consume});
}

void Scan::run(Env& env) {
  for (const auto& layer : prefix_layers(digits_)) run_layer(env, layer);
}

void Scan::below(Words out, std::size_t chunk, unsigned level) {
  const std::size_t position = digits_ - 1 - level;
  for (std::size_t w = 0; w < out.size(); ++w) {
    out[w] = 0;
    for (std::size_t s = 0; s < states_; ++s) out[w] ^= equal(chunk, s, position)[w];
  }
}

void open_digits(Env& env, Scan& scan, Words fresh, ConstWords x, const LevelShape& shape) {
  const std::size_t n = x.size(), size_max = chunk_words(n);
  const std::size_t packed_max = petcore::bits::num_words(size_max);
  const auto digits = shape.tables();
  Buffer<std::uint64_t> sum(size_max), rows(digits.width() * packed_max),
      table(digits.rows() * packed_max);
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words masked = own.first(r.size), mask = fresh.subspan(r.begin, r.size);
    env.source.masks({mask});
    for (std::size_t j = 0; j < r.size; ++j) {
      masked[j] = x[r.begin + j] + mask[j];
      mask[j] = 0 - mask[j];  // x = c - r
    }
    return r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const std::size_t packed = petcore::bits::num_words(r.size);
    const Words c = sum.span().first(r.size), rows_i = rows.span().first(digits.width() * packed);
    const Words table_i = table.span().first(digits.rows() * packed);
    for (std::size_t j = 0; j < r.size; ++j) c[j] = own[j] + theirs[j];
    if (env.party == 0)
      for (std::size_t j = 0; j < r.size; ++j) fresh[r.begin + j] += c[j];
    env.source.products({table_i});
    petcore::bits::to_slices(rows_i, c, digits.width());
    scan.add(env.party, i, rows_i, table_i);
  };
  run_exchange(env, other(env.party), {num_chunks(n), size_max, produce, consume});
}

// The bits of the code. The counts that hold come first, so that bit b of codes[count] is that of
// codes[0], turned at every count where it changes.
void code_rows(int party, Slices& rows, Scan& scan, const LevelShape& shape) {
  for (std::size_t i = 0; i < rows.num_chunks(); ++i) {
    const std::size_t words = rows.words_in(i);
    Buffer<std::uint64_t> holds(words);
    for (unsigned b = 0; b < kCodeBits; ++b) {
      const bool start = (shape.codes[0] >> b & 1) != 0 && party == 0;
      std::fill_n(rows.at(i, b), words, start ? ~std::uint64_t{0} : 0);
    }
    for (unsigned k = 1; k <= shape.most() + 1; ++k) {
      if (k <= shape.most())
        scan.below(holds.span(), i, shape.last - k);
      else
        scan.zero(holds.span(), i);
      const unsigned changed = shape.codes[k] ^ shape.codes[k - 1];
      for (unsigned b = 0; b < kCodeBits; ++b)
        for (std::size_t w = 0; w < words && (changed >> b & 1) != 0; ++w)
          rows.at(i, b)[w] ^= holds[w];
    }
  }
}

void rows_to_bytes(Env& env, std::span<std::uint8_t> codes, Slices& rows) {
  const std::size_t n = codes.size(), size_max = chunk_words(n);
  Buffer<std::uint64_t> product(kCodeBits * size_max / 8 + 1);
  Buffer<std::uint8_t> public_bit(size_max);
  Buffer<std::uint64_t> opened(kCodeBits * rows.words_in(0));
  const std::uint8_t mine = env.party == 0 ? 1 : 0;
  const auto produce = [&](std::size_t i, Words own) {
    const Words known = rows.chunk(i), masked = own.first(known.size());
    env.source.masks({masked});
    for (std::size_t w = 0; w < known.size(); ++w) masked[w] ^= known[w];
    return known.size();
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const std::size_t words = rows.words_in(i);
    const Words product_i = product.span().first((kCodeBits * r.size + 7) / 8);
    env.source.products({product_i});
    for (std::size_t w = 0; w < own.size(); ++w) opened[w] = own[w] ^ theirs[w];
    const auto* shares = reinterpret_cast<const std::uint8_t*>(product_i.data());
    std::uint8_t* out = codes.data() + r.begin;
    std::fill_n(out, r.size, 0);
    for (unsigned b = 0; b < kCodeBits; ++b) {
      const std::span<std::uint8_t> d = public_bit.span().first(r.size);
      petcore::bits::unpack(d, opened.span().subspan(b * words, words));
      for (std::size_t j = 0; j < r.size; ++j) {
        const auto turn = static_cast<std::uint8_t>(0 - d[j]);  // (1 - 2 d) share + d
        const std::uint8_t bit = (shares[b * r.size + j] ^ turn) + d[j] + (mine & d[j]);
        out[j] = static_cast<std::uint8_t>(out[j] + (bit << b));
      }
    }
  };
  run_exchange(env, other(env.party),
               {num_chunks(n), kCodeBits * rows.words_in(0), produce, consume});
}

}  // namespace

void measure_levels(Env& env, std::span<std::uint8_t> codes, Words fresh, ConstWords x,
                    const LevelShape& shape) {
  Slices rows(x.size(), kCodeBits);
  {
    Scan scan(x.size(), shape);
    open_digits(env, scan, fresh, x, shape);
    scan.run(env);
    code_rows(env.party, rows, scan, shape);
  }
  rows_to_bytes(env, codes, rows);
}

void append_levels(Plan& plan, std::size_t n, const LevelShape& shape) {
  plan.push_back(correlation::digit_request(n, shape.tables()));
  for (const auto& layer : prefix_layers(shape.digits)) {
    const std::size_t ands = layer.size() * shape.states();
    plan.push_back({.kind = Kind::and_gate,
                    .units = ands * petcore::bits::num_words(n),
                    .chunk = ands * kChunkWords});
  }
  plan.push_back({.kind = Kind::bit_bytes, .units = n, .dims = {kCodeBits}});
}

}  // namespace petcore::protocol::semi2k
