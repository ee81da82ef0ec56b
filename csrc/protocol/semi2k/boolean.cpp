// Operations that take bits: AND, bit times word, and bits as words.
#include <algorithm>

#include "bits/flags.h"
#include "protocol/semi2k/plans.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::Request;

// The same chunking as for elements, in packed words.
ConstWords packed_chunk(ConstWords packed, std::size_t i, std::size_t size) {
  return packed.subspan(i * kChunkWords, petcore::bits::num_words(size));
}

// With d = bit ^ r and e = x - a opened: r x = e r + r a, and bit x = d x + (1 - 2d) r x. In: e,
// and shares of r and of r a, which are overwritten.
void close_products(Words e_to_product, Words r, Words ra, ConstWords x, ConstWords d) {
  ring::mul(r, r, e_to_product);
  ring::add(ra, ra, r);
  petcore::bits::reflect(e_to_product, ra, x, d);
}

}  // namespace

void Semi2k::and_bits(Env& env, Words out, ConstWords x, ConstWords y) const {
  const std::size_t n = x.size();
  Request request{.kind = Kind::and_gate, .units = n};
  env.source.plan(env.step, {&request, 1});
  Buffer<std::uint64_t> c(chunk_words(n));
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words d = own.first(r.size), f = own.subspan(r.size, r.size);
    env.source.masks({correlation::toggled(d, x.subspan(r.begin, r.size)),
                      correlation::toggled(f, y.subspan(r.begin, r.size))});
    return 2 * r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    env.source.products({c.span().first(r.size)});
    for (std::size_t w = 0; w < r.size; ++w) {
      const std::uint64_t d = own[w] ^ theirs[w], f = own[r.size + w] ^ theirs[r.size + w];
      const std::uint64_t a = x[r.begin + w] ^ own[w];
      out[r.begin + w] = (d & y[r.begin + w]) ^ (f & a) ^ c[w];
    }
  };
  run_exchange(env, other(env.party), {num_chunks(n), 2 * chunk_words(n), produce, consume});
  env.source.finish();
}

void multiply_bits(Env& env, Words out, ConstWords bit, ConstWords x) {
  const std::size_t n = x.size();
  const std::size_t size_max = chunk_words(n), packed_max = petcore::bits::num_words(size_max);
  Buffer<std::uint64_t> r_word(size_max), ra(size_max), opened(packed_max);
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const ConstWords bits = packed_chunk(bit, i, r.size);
    const Words d = own.first(bits.size()), e = own.subspan(bits.size(), r.size);
    env.source.masks(
        {correlation::toggled(d, bits), correlation::minus(e, x.subspan(r.begin, r.size))});
    return bits.size() + r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const std::size_t packed = petcore::bits::num_words(r.size);
    env.source.products({r_word.span().first(r.size), ra.span().first(r.size)});
    const Words e = out.subspan(r.begin, r.size), d = opened.span().first(packed);
    petcore::bits::exclusive_or(d, own.first(packed), theirs.first(packed));
    ring::add(e, own.subspan(packed), theirs.subspan(packed));
    close_products(e, r_word.span().first(r.size), ra.span().first(r.size),
                   x.subspan(r.begin, r.size), d);
  };
  run_exchange(env, other(env.party), {num_chunks(n), packed_max + size_max, produce, consume});
}

void multiply_opened(Env& env, Words out, ConstWords bit, ConstWords flip, ConstWords x) {
  const std::size_t n = x.size();
  const std::size_t size_max = chunk_words(n), packed_max = petcore::bits::num_words(size_max);
  Buffer<std::uint64_t> r_word(size_max), ra(size_max), opened(packed_max);
  const auto produce = [&](std::size_t i, Words own) {
    const std::size_t size = chunk_at(i, n).size;
    const ConstWords bits = packed_chunk(bit, i, size);
    petcore::bits::exclusive_or(own.first(bits.size()), bits, packed_chunk(flip, i, size));
    return bits.size();
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const Words d = opened.span().first(own.size());
    const Words r_i = r_word.span().first(r.size), ra_i = ra.span().first(r.size);
    env.source.products({r_i, ra_i});
    petcore::bits::exclusive_or(d, own, theirs);
    close_products(out.subspan(r.begin, r.size), r_i, ra_i, x.subspan(r.begin, r.size), d);
  };
  run_exchange(env, other(env.party), {num_chunks(n), packed_max, produce, consume});
}

void Semi2k::mul_bit(Env& env, Words out, ConstWords bit, ConstWords x) const {
  Request request{.kind = Kind::bit_product, .units = x.size()};
  env.source.plan(env.step, {&request, 1});
  multiply_bits(env, out, bit, x);
  env.source.finish();
}

void convert_bits(Env& env, Words out, ConstWords bit) {
  const std::size_t n = out.size(), packed_max = petcore::bits::num_words(chunk_words(n));
  Buffer<std::uint64_t> opened(packed_max), none(packed_max);
  std::fill(none.begin(), none.end(), 0);
  const auto produce = [&](std::size_t i, Words own) {
    const ConstWords bits = packed_chunk(bit, i, chunk_at(i, n).size);
    const Words d = own.first(bits.size());
    env.source.masks({correlation::toggled(d, bits)});
    return bits.size();
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const Words z = out.subspan(r.begin, r.size);
    env.source.products({z});
    const Words d = opened.span().first(own.size());
    petcore::bits::exclusive_or(d, own, theirs);
    petcore::bits::turn_add(z, z, d, env.party == 0 ? d : none.span().first(d.size()),
                            none.span().first(d.size()));
  };
  run_exchange(env, other(env.party), {num_chunks(n), packed_max, produce, consume});
}

void Semi2k::b2a(Env& env, Words out, ConstWords bit) const {
  Request request{.kind = Kind::dabit, .units = out.size()};
  env.source.plan(env.step, {&request, 1});
  convert_bits(env, out, bit);
  env.source.finish();
}

}  // namespace petcore::protocol::semi2k
