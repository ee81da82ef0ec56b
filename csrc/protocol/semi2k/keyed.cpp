#include "protocol/semi2k/keyed.h"

#include <algorithm>

#include "bits/bits.h"
#include "bits/gates.h"
#include "protocol/semi2k/functions.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::KeyForm;
using correlation::kKeyChunk;
using correlation::Request;
using petcore::bits::num_words;

unsigned bytes_for(unsigned width) { return (width + 7) / 8; }

// Keyed: one block of numbers, first masked, then opened, then looked at with their keys.
class Keyed {
 public:
  // The request must be planned, and come before any other whose masks are not yet taken.
  Keyed(Env& env, const Request& request, ConstWords x, unsigned drop)
      : env_(env), request_(request), z_(x.size()), roots_(correlation::root_words(x.size())) {
    each_chunk([&](Range r) {
      const Words z = z_.span().subspan(r.begin, r.size);
      for (std::size_t i = 0; i < r.size; ++i) z[i] = x[r.begin + i] >> drop;
      env_.source.masks({correlation::plus(z, z), roots_of(r)});
    });
  }

  std::size_t size() const { return z_.size(); }
  // put gives what of a chunk travels, and returns the words used; take adds what the peer's gives.
  std::size_t put(Range r, Words own) const {
    petcore::bits::narrow(own.first(words_of(r)), z_.span().subspan(r.begin, r.size), num_bytes());
    return words_of(r);
  }
  void take(Range r, ConstWords own, ConstWords theirs) {
    petcore::bits::widen_sum(z_.span().subspan(r.begin, r.size), own, theirs, num_bytes());
  }
  std::size_t words_of(Range r) const { return petcore::bits::narrow_words(r.size, num_bytes()); }

  void open() {
    const std::size_t n = size();
    const auto produce = [&](std::size_t i, Words own) { return put(chunk_at(i, n), own); };
    const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
      take(chunk_at(i, n), own, theirs);
    };
    run_exchange(env_, other(env_.party), {num_chunks(n), chunk_words(n), produce, consume});
  }

  // read calls use(r, ask) for every chunk of keys; ask(out, z) gives shares of what they say.
  template <class Use>
  void read(Use&& use) {
    const std::size_t largest = std::min<std::size_t>(size(), kKeyChunk);
    const auto sizes = correlation::layout(request_, largest);
    Buffer<std::uint64_t> numbers(sizes.products[0]), corrections(sizes.products[1]);
    each_chunk([&](Range r) {
      const auto used = correlation::layout(request_, r.size);
      const Words n = numbers.span().first(used.products[0]);
      const Words c = corrections.span().first(used.products[1]);
      env_.source.products({n, c});
      use(r, [&](Words out, ConstWords z) {
        correlation::read_keys(request_, env_.party, out, z, roots_of(r), n, c);
      });
    });
  }
  ConstWords opened(Range r) const { return z_.span().subspan(r.begin, r.size); }

 private:
  template <class Use>
  void each_chunk(Use&& use) {
    for (std::size_t begin = 0; begin < size(); begin += kKeyChunk)
      use(Range{begin, std::min<std::size_t>(kKeyChunk, size() - begin)});
  }
  Words roots_of(Range r) {
    return roots_.span().subspan(correlation::root_words(r.begin), correlation::root_words(r.size));
  }
  unsigned num_bytes() const { return bytes_for(static_cast<unsigned>(request_.dims[0])); }

  Env& env_;
  const Request request_;
  Buffer<std::uint64_t> z_, roots_;
};

Words packed_of(Words out, Range r) { return out.subspan(r.begin / 64, num_words(r.size)); }

void read_bits(Keyed& keyed, Words out) {
  keyed.read([&](Range r, const auto& ask) { ask(packed_of(out, r), keyed.opened(r)); });
}

void keyed_block(Env& env, Words out, ConstWords x, BitRange range, KeyForm form) {
  Plan plan = keyed_plan(x.size(), range.width - range.drop, form);
  env.source.plan(env.step, plan);
  Keyed keyed(env, plan[0], x, range.drop);
  keyed.open();
  read_bits(keyed, out);
  env.source.finish();
}

// With z = x + r mod 2^width: x is in [low, high) if "r <= z - low" and "r <= z - high" differ and
// no wrap lies between, that is (z - low) mod 2^width >= high - low; otherwise if they are equal.
void interval_block(Env& env, Words out, ConstWords x, ConstWords low, ConstWords high,
                    unsigned width) {
  Plan plan = keyed_plan(x.size(), width, KeyForm::below);
  env.source.plan(env.step, plan);
  Keyed keyed(env, plan[0], x, 0);
  keyed.open();
  const std::uint64_t modulus = ~std::uint64_t{0} >> (64 - width);
  Buffer<std::uint64_t> from(kKeyChunk), to(kKeyChunk), second(kKeyChunk / 64);
  keyed.read([&](Range r, const auto& ask) {
    const ConstWords z = keyed.opened(r), a = low.subspan(r.begin, r.size);
    const ConstWords b = high.subspan(r.begin, r.size);
    const Words first = packed_of(out, r), other_end = second.span().first(first.size());
    ring::sub(from.span().first(r.size), z, a);
    ring::sub(to.span().first(r.size), z, b);
    ask(first, from.span().first(r.size));
    ask(other_end, to.span().first(r.size));
    petcore::bits::exclusive_or(first, first, other_end);
    if (env.party != 0) return;
    for (std::size_t i = 0; i < r.size; ++i) {
      const bool wraps = (from[i] & modulus) < ((b[i] - a[i]) & modulus);
      first[i / 64] ^= static_cast<std::uint64_t>(wraps) << (i % 64);
    }
  });
  env.source.finish();
}

// y is masked and opened together with x: the second round opens a bit only.
void select_block(Env& env, Words out, ConstWords x, ConstWords y, BitRange range) {
  const std::size_t n = x.size();
  Plan plan = keyed_select_plan(n, range.width - range.drop);
  env.source.plan(env.step, plan);
  Keyed keyed(env, plan[0], x, range.drop);
  Buffer<std::uint64_t> flips(num_words(n)), bits(num_words(n));
  for (std::size_t i = 0; i < num_chunks(n); ++i) {
    const Range r = chunk_at(i, n);
    env.source.masks({packed_of(flips.span(), r), correlation::minus(out.subspan(r.begin, r.size),
                                                                     y.subspan(r.begin, r.size))});
  }
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const std::size_t words = keyed.put(r, own);
    std::copy_n(out.begin() + r.begin, r.size, own.begin() + words);
    return words + r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const std::size_t words = keyed.words_of(r);
    keyed.take(r, own.first(words), theirs.first(words));
    ring::add(out.subspan(r.begin, r.size), own.subspan(words), theirs.subspan(words));
  };
  run_exchange(env, other(env.party), {num_chunks(n), 2 * chunk_words(n) + 1, produce, consume});
  read_bits(keyed, bits.span());
  multiply_opened(env, out, bits.span(), flips.span(), y);
  env.source.finish();
}

}  // namespace

Plan keyed_plan(std::size_t n, unsigned width, KeyForm form) {
  return {correlation::key_request(n, width, form)};
}

Plan keyed_select_plan(std::size_t n, unsigned width) {
  return {correlation::key_request(n, width, KeyForm::sign),
          {.kind = correlation::Kind::bit_product, .units = n}};
}

Cost keyed_cost(std::size_t n, unsigned width, KeyForm form) {
  Cost cost;
  for_each_block(n, [&](std::size_t, std::size_t size) {
    cost += one_round(opened_words(size, width), keyed_plan(size, width, form)[0]);
  });
  return cost;
}

Cost keyed_select_cost(std::size_t n, unsigned width) {
  Cost cost;
  for_each_block(n, [&](std::size_t, std::size_t size) {
    const Plan plan = keyed_select_plan(size, width);
    cost += one_round(opened_words(size, width) + size, plan[0]);
    cost += one_round(num_words(size), plan[1]);
  });
  return cost;
}

void Semi2k::check_keyed() const {
  check(setting_.dealt, Code::usage,
        "keys of one-round comparisons come from a dealer, and this session has none; use the "
        "method \"tree\"");
}

void Semi2k::fss_sign(Env& env, Words out, ConstWords x, BitRange range) const {
  check_keyed();
  check_range(range);
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    keyed_block(env, packed_of(out, {begin, size}), x.subspan(begin, size), range, KeyForm::sign);
  });
}

void Semi2k::fss_zero(Env& env, Words out, ConstWords x, unsigned width) const {
  check_keyed();
  check_range({.width = width});
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    keyed_block(env, packed_of(out, {begin, size}), x.subspan(begin, size), {.width = width},
                KeyForm::point);
  });
}

void Semi2k::fss_interval(Env& env, Words out, ConstWords x, ConstWords low, ConstWords high,
                          unsigned width) const {
  check_keyed();
  check_range({.width = width});
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    interval_block(env, packed_of(out, {begin, size}), x.subspan(begin, size),
                   low.subspan(begin, size), high.subspan(begin, size), width);
  });
}

void Semi2k::fss_select(Env& env, Words out, ConstWords x, ConstWords y, BitRange range) const {
  check_keyed();
  check_range(range);
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    select_block(env, out.subspan(begin, size), x.subspan(begin, size), y.subspan(begin, size),
                 range);
  });
}

}  // namespace petcore::protocol::semi2k
