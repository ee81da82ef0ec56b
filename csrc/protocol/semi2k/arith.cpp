// Products of arithmetic shares. With x = e + a and y = f + b, where e and f are opened,
// x y = e y + f a + ab; each party adds its shares of y, a and ab.
#include <algorithm>

#include "protocol/semi2k/cross.h"
#include "protocol/semi2k/plans.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::Request;

// Opens x - mask for a whole operand; `opened` receives the sum.
void open_masked(Env& env, Words opened, ConstWords x, ConstWords mask) {
  const std::size_t n = x.size();
  run_exchange(env, other(env.party),
               {.num_chunks = num_chunks(n),
                .chunk_words_max = chunk_words(n),
                .produce =
                    [&](std::size_t i, Words own) {
                      const Range r = chunk_at(i, n);
                      ring::sub(own.first(r.size), x.subspan(r.begin, r.size),
                                mask.subspan(r.begin, r.size));
                      return r.size;
                    },
                .consume =
                    [&](std::size_t i, ConstWords own, ConstWords theirs) {
                      const Range r = chunk_at(i, n);
                      ring::add(opened.subspan(r.begin, r.size), own, theirs);
                    }});
}

// Adds this party's share of the product of both masks. It is taken last: meanwhile the dealer
// computed it.
void add_products(Env& env, Words out) {
  Buffer<std::uint64_t> c(out.size());
  env.source.products({c.span()});
  ring::add(out, out, c.span());
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
    env.source.masks({e, f});
    ring::sub(e, x.subspan(r.begin, r.size), e);
    ring::sub(f, y.subspan(r.begin, r.size), f);
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
    env.source.masks({own_e});
    ring::sub(own_e, x.subspan(r.begin, r.size), own_e);
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
  // Both operands lie in one vector, so that one round opens them.
  Buffer<std::uint64_t> joined(m * k + k * n), masks(m * k + k * n), opened(m * k + k * n);
  std::copy(x.begin(), x.end(), joined.begin());
  std::copy(y.begin(), y.end(), joined.begin() + m * k);
  const Words a = masks.span().first(m * k), b = masks.span().subspan(m * k);
  env.source.masks({a, b});
  open_masked(env, opened.span(), joined.span(), masks.span());
  ring::matmul(out, opened.span().first(m * k), y, m, k, n);
  ring::matmul(out, a, opened.span().subspan(m * k), m, k, n, true);
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
  open_masked(env, x.opened.span(), x.share.span(), x.mask_share.span());
  env.source.finish();
}

void Semi2k::masked_matmul(Env& env, Words out, const MaskedShare& x, ConstWords y,
                           std::uint64_t row_begin, std::uint64_t row_end, bool transposed,
                           std::uint64_t n, unsigned truncate) const {
  Request request = correlation::masked_matrix_request(x.mask, row_begin, row_end, transposed, n);
  const auto [m, k, width] = correlation::matrix_shape(request);
  plan_product(env, request, out.size(), truncate);
  Buffer<std::uint64_t> b(k * n), f(k * n);
  env.source.masks({b.span()});
  open_masked(env, f.span(), y, b.span());
  const std::size_t begin = row_begin * x.columns, size = m * k;
  const auto product = transposed ? ring::matmul_transposed : ring::matmul;
  product(out, x.opened.span().subspan(begin, size), y, m, k, width, false, "");
  product(out, x.mask_share.span().subspan(begin, size), f.span(), m, k, width, true, "");
  add_products(env, out);
  finish_product(env, out, truncate);
}

}  // namespace petcore::protocol::semi2k
