// Products of arithmetic shares. With x = e + a and y = f + b, where e and f are opened,
// x y = e y + f a + ab; each party adds its shares of y, a and ab.
#include <algorithm>
#include <array>
#include <vector>

#include "protocol/semi2k/cross.h"
#include "protocol/semi2k/plans.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::minus;
using correlation::Request;

// Masked: an operand, its mask and where the sum of x - mask goes, which may be where the mask is.
struct Masked {
  ConstWords x, mask;
  Words opened;
};

// Opens x - mask for whole operands, all in one round.
void open_masked(Env& env, std::span<const Masked> operands) {
  struct Part {
    const Masked& operand;
    Range r;
  };
  std::vector<Part> parts;
  std::size_t words_max = 0;
  for (const Masked& operand : operands) {
    const std::size_t n = operand.x.size();
    for (std::size_t i = 0; i < num_chunks(n); ++i) parts.push_back({operand, chunk_at(i, n)});
    words_max = std::max(words_max, chunk_words(n));
  }
  const auto produce = [&](std::size_t i, Words own) {
    const auto& [operand, r] = parts[i];
    ring::sub(own.first(r.size), operand.x.subspan(r.begin, r.size),
              operand.mask.subspan(r.begin, r.size));
    return r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const auto& [operand, r] = parts[i];
    ring::add(operand.opened.subspan(r.begin, r.size), own, theirs);
  };
  run_exchange(env, other(env.party), {parts.size(), words_max, produce, consume});
}

// Adds this party's share of the product of both masks. It is taken last: meanwhile the dealer
// computed it.
void add_products(Env& env, Words out) {
  Buffer<std::uint64_t> c(out.size());
  env.source.products({c.span()});
  ring::add(out, out, c.span(), env.pool);
}

// Announces a product and the truncation that follows it.
void plan_product(Env& env, Request& request, std::size_t size, unsigned truncate) {
  Plan plan{request};
  if (truncate > 0) plan.push_back(own_bits_request(size, quotient_width(truncate)));
  env.source.plan(env.step, plan);
  request = plan.front();
}

void finish_product(Env& env, Words out, unsigned truncate) {
  if (truncate > 0) divide(env, out, out, truncate);
  env.source.finish();
}

}  // namespace

void Semi2k::mul(Env& env, Words out, ConstWords x, ConstWords y, unsigned truncate) const {
  const std::size_t n = x.size();
  Request request{.kind = Kind::multiplication, .units = n};
  plan_product(env, request, out.size(), truncate);
  Buffer<std::uint64_t> a(chunk_words(n)), ef(2 * chunk_words(n));
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words e = own.first(r.size), f = own.subspan(r.size, r.size);
    env.source.masks({minus(e, x.subspan(r.begin, r.size)), minus(f, y.subspan(r.begin, r.size))});
    return 2 * r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const Words opened = ef.span().first(2 * r.size), a_i = a.span().first(r.size);
    ring::sub(a_i, x.subspan(r.begin, r.size), own.first(r.size));
    ring::add(opened, own, theirs);
    const Words z = out.subspan(r.begin, r.size);
    env.source.products({z});
    ring::mul_add2(z, opened.first(r.size), y.subspan(r.begin, r.size), opened.subspan(r.size), a_i,
                   z);
  };
  run_exchange(env, other(env.party), {num_chunks(n), 2 * chunk_words(n), produce, consume});
  finish_product(env, out, truncate);
}

void Semi2k::square(Env& env, Words out, ConstWords x, unsigned truncate) const {
  const std::size_t n = x.size();
  Request request{.kind = Kind::square, .units = n};
  plan_product(env, request, out.size(), truncate);
  Buffer<std::uint64_t> c(chunk_words(n)), e(chunk_words(n));
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words own_e = own.first(r.size);
    env.source.masks({minus(own_e, x.subspan(r.begin, r.size))});
    return r.size;
  };
  // x^2 = e (x + a) + a^2, and the share of a is x - own_e.
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const ConstWords x_i = x.subspan(r.begin, r.size);
    const Words z = out.subspan(r.begin, r.size), opened = e.span().first(r.size);
    env.source.products({c.span().first(r.size)});
    ring::sub(z, x_i, own);
    ring::add(opened, own, theirs);
    ring::mul_add2(z, opened, x_i, opened, z, c.span().first(r.size));
  };
  run_exchange(env, other(env.party), {num_chunks(n), chunk_words(n), produce, consume});
  finish_product(env, out, truncate);
}

void Semi2k::matmul(Env& env, Words out, ConstWords x, ConstWords y, std::uint64_t m,
                    std::uint64_t k, std::uint64_t n, unsigned truncate) const {
  Request request = correlation::matrix_request(m, k, n);
  plan_product(env, request, out.size(), truncate);
  // The shares of e y + a f, and as well of e b + x f, add up to what is wanted: the smaller of the
  // masks is kept, the other gives way to what is opened.
  const bool keep_a = m <= n;
  Buffer<std::uint64_t> e(m * k), f(k * n), kept(keep_a ? m * k : k * n);
  const Words a = keep_a ? kept.span() : e.span(), b = keep_a ? f.span() : kept.span();
  env.source.masks({a, b});
  open_masked(env, std::array<Masked, 2>{{{x, a, e.span()}, {y, b, f.span()}}});
  ring::matmul(out, e.span(), keep_a ? y : ConstWords(b), m, k, n, false, env.pool);
  e = {};
  ring::matmul(out, keep_a ? ConstWords(a) : x, f.span(), m, k, n, true, env.pool);
  f = {}, kept = {};
  add_products(env, out);
  finish_product(env, out, truncate);
}

void Semi2k::mask(Env& env, MaskedShare& x) const {
  const std::size_t size = x.rows * x.columns;
  Request request{.kind = Kind::mask, .units = size, .dims = {x.rows, x.columns}};
  env.source.plan(env.step, {&request, 1});
  x.mask = request;
  x.mask_share = Buffer<std::uint64_t>(size);
  x.opened = Buffer<std::uint64_t>(size);
  for (std::size_t i = 0; i < num_chunks(size); ++i) {
    const Range r = chunk_at(i, size);
    env.source.masks({x.mask_share.span().subspan(r.begin, r.size)});
  }
  open_masked(env, std::array<Masked, 1>{{{x.share.span(), x.mask_share.span(), x.opened.span()}}});
  env.source.finish();
}

void Semi2k::masked_matmul(Env& env, Words out, const MaskedShare& x, ConstWords y,
                           std::uint64_t row_begin, std::uint64_t row_end, bool transposed,
                           std::uint64_t n, unsigned truncate) const {
  Request request = correlation::masked_matrix_request(x.mask, row_begin, row_end, transposed, n);
  const auto [m, k, width] = correlation::matrix_shape(request);
  plan_product(env, request, out.size(), truncate);
  Buffer<std::uint64_t> f(k * n);  // its mask, until it is opened
  env.source.masks({f.span()});
  open_masked(env, std::array<Masked, 1>{{{y, f.span(), f.span()}}});
  const std::size_t begin = row_begin * x.columns, size = m * k;
  const auto product = transposed ? ring::matmul_transposed : ring::matmul;
  product(out, x.opened.span().subspan(begin, size), y, m, k, width, false, env.pool);
  product(out, x.mask_share.span().subspan(begin, size), f.span(), m, k, width, true, env.pool);
  add_products(env, out);
  finish_product(env, out, truncate);
}

}  // namespace petcore::protocol::semi2k
