#include "correlation/products.h"

#include <algorithm>

#include "bits/bits.h"
#include "bits/flags.h"
#include "correlation/lookups.h"
#include "correlation/streams.h"
#include "correlation/tables.h"
#include "correlation/trees.h"
#include "ring/residue.h"
#include "ring/ring.h"

namespace petcore::correlation {
namespace {

using Streams3 = std::array<Buffer<std::uint64_t>, 3>;

std::uint64_t bit_at(const Buffer<std::uint64_t>& packed, std::uint64_t i) {
  return packed[i / 64] >> (i % 64) & 1;
}

// x = x + sign y, 32 bits at a time.
void add_halves(Words x, ConstWords y, std::uint32_t sign) {
  constexpr std::uint64_t kLow = 0xffffffff;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint64_t low = (x[i] + sign * y[i]) & kLow;
    const std::uint64_t high = (x[i] >> 32) + sign * (y[i] >> 32);
    x[i] = low | high << 32;
  }
}

void bit_products(const Request& request, const Streams3& masks, Buffer<std::uint64_t>& out) {
  Buffer<std::uint64_t> both(masks[0].size());
  bits::conjunction(both.span(), masks[0].span(), masks[1].span());
  const auto expand = request.dims[0] == 64 ? bits::expand : bits::expand_halves;
  expand(out.span(), both.span(), "");
}

void subtract_wide(Words x, ConstWords y) {
  for (std::size_t i = 0; i < x.size(); i += 2)
    ring::store_wide(&x[i], ring::wide_sub(ring::load_wide(&x[i]), ring::load_wide(&y[i])));
}

void wide_products(const Streams3& masks, Buffer<std::uint64_t>& out) {
  for (std::size_t i = 0; i < out.size(); i += 2)
    ring::store_wide(&out[i],
                     ring::wide_mul(ring::load_wide(&masks[0][i]), ring::load_wide(&masks[1][i])));
}

// x = x - y, 8 bits at a time (Warren, Hacker's Delight, section 2-18).
void subtract_bytes(Words x, ConstWords y) {
  constexpr std::uint64_t kTops = 0x8080808080808080;
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = ((x[i] | kTops) - (y[i] & ~kTops)) ^ ((x[i] ^ ~y[i]) & kTops);
}

void scaled_products(const Streams3& masks, Buffer<std::uint64_t>& out) {
  const std::size_t n = out.size();
  for (std::size_t i = 0; i < n; ++i)
    out[i] = ring::residue_add(ring::residue_mul(masks[0][i], masks[1][n + i]),
                               ring::residue_mul(masks[0][n + i], masks[1][i]));
}

// Row after row of `units` bytes.
void bit_bytes(const Request& request, std::uint64_t units, const Buffer<std::uint64_t>& packed,
               Buffer<std::uint64_t>& out) {
  const std::uint64_t rows = request.dims[0], words = bits::num_words(units);
  out[out.size() - 1] = 0;
  const std::span bytes(reinterpret_cast<std::uint8_t*>(out.data()), rows * units);
  for (std::uint64_t r = 0; r < rows; ++r)
    bits::unpack(bytes.subspan(r * units, units), packed.span().subspan(r * words, words));
}

void half_selections(const Request& request, std::uint64_t units, const Streams3& masks,
                     Streams3& out) {
  constexpr std::uint64_t kLow = 0xffffffff;
  for (std::size_t i = 0; i < out[0].size(); ++i) {
    const std::uint64_t both = 2 * i + 1 < units ? 1 : 0;
    const auto spread = [&](const Buffer<std::uint64_t>& bits) {
      return bit_at(bits, 2 * i) | (both & bit_at(bits, 2 * i + both)) << 32;
    };
    out[0][i] = spread(masks[0]);
    out[1][i] = out[0][i] * kLow & masks[1][i];
    if (request.dims[0] != 0) out[2][i] = spread(masks[2]);
  }
}

void masked_product(const Request& request, const prg::Seed (&seeds)[2],
                    const Buffer<std::uint64_t>& b, Buffer<std::uint64_t>& out, Pool& pool) {
  const auto& d = request.dims;
  const Request mask{
      .kind = Kind::mask, .units = d[1] * d[2], .dims = {d[1], d[2]}, .counter = d[0]};
  const std::uint64_t rows = d[4] - d[3], columns = d[2];
  Buffer<std::uint64_t> a(rows * columns), other(rows * columns);
  mask_words(seeds[0], mask, d[3] * columns, a.span(), pool);
  mask_words(seeds[1], mask, d[3] * columns, other.span(), pool);
  ring::add(a.span(), a.span(), other.span(), pool);
  const auto [m, k, n] = matrix_shape(request);
  const auto product = d[5] != 0 ? ring::matmul_transposed : ring::matmul;
  product(out.span(), a.span(), b.span(), m, k, n, false, pool);
}

}  // namespace

Group mask_group(const Request& request, std::size_t index) {
  switch (request.kind) {
    case Kind::and_gate:
    case Kind::and_pair:
    case Kind::tree_layer:
      return Group::bits;
    case Kind::dabit:
    case Kind::bit_product:
      return index == 0 ? Group::bits : Group::words;
    case Kind::bit_bytes:
      return Group::bits;
    case Kind::half_select:
      return index == 1 ? Group::halves : Group::bits;
    default:
      return Group::words;
  }
}

Group product_group(const Request& request, std::size_t index) {
  switch (request.kind) {
    case Kind::and_gate:
    case Kind::and_pair:
    case Kind::edabit:
    case Kind::digits:
    case Kind::tree_layer:
    case Kind::lookup:
      return Group::bits;
    case Kind::half_select:
      return Group::halves;
    case Kind::cross_wide:
      return Group::wide;
    case Kind::cross_scaled:
      return Group::residues;
    case Kind::bit_bytes:
      return Group::bytes;
    case Kind::waves:
      if (index == 1) return Group::bits;
      return waves_of(request).width == 64 ? Group::words : Group::halves;
    case Kind::cross_bit:
      return request.dims[0] == 64 ? Group::words : Group::halves;
    default:
      return Group::words;
  }
}

bool is_crossed(const Request& request) {
  return request.kind == Kind::cross_bit || request.kind == Kind::cross_wide ||
         request.kind == Kind::cross_scaled || request.kind == Kind::lookup;
}

bool dealt_to_both(const Request& request) { return request.kind == Kind::comparison_key; }

void combine(Words x, ConstWords y, Group group) {
  if (group == Group::words) return ring::add(x, x, y);
  if (group == Group::halves) return add_halves(x, y, 1);
  bits::exclusive_or(x, x, y);
}

void subtract(Words x, ConstWords y, Group group) {
  if (group == Group::words) return ring::sub(x, x, y);
  if (group == Group::halves) return add_halves(x, y, ~std::uint32_t{0});
  if (group == Group::wide) return subtract_wide(x, y);
  if (group == Group::bytes) return subtract_bytes(x, y);
  if (group == Group::residues) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = ring::residue_sub(x[i], y[i]);
    return;
  }
  combine(x, y, group);
}

void make_products(const Request& request, std::uint64_t units, const prg::Seed (&seeds)[2],
                   const Streams3& masks, Streams3& products, Pool& pool) {
  switch (request.kind) {
    case Kind::multiplication:
      return ring::mul(products[0].span(), masks[0].span(), masks[1].span());
    case Kind::square:
      return ring::mul(products[0].span(), masks[0].span(), masks[0].span());
    case Kind::and_gate:
      return bits::conjunction(products[0].span(), masks[0].span(), masks[1].span());
    case Kind::and_pair:
      bits::conjunction(products[0].span(), masks[0].span(), masks[1].span());
      return bits::conjunction(products[1].span(), masks[0].span(), masks[2].span());
    case Kind::dabit:
      return bits::expand(products[0].span(), masks[0].span());
    case Kind::bit_product:
      bits::expand(products[0].span(), masks[0].span());
      return bits::keep(products[1].span(), masks[1].span(), masks[0].span());
    case Kind::edabit:
      return deal_grouped(grouped_of(request), products[0].span(), masks[0].span());
    case Kind::tree_layer:
      return deal_layer(layer_of(request), products[0].span(), masks[0].span());
    case Kind::cross_bit:
      return bit_products(request, masks, products[0]);
    case Kind::cross_wide:
      return wide_products(masks, products[0]);
    case Kind::digits:
      return digit_table(products[0].span(), masks[0].span(), digits_of(request));
    case Kind::waves:
      wave_table(products[0].span(), masks[0].span(), waves_of(request));
      if (digits_of(request).count > 0)
        digit_table(products[1].span(), masks[0].span(), digits_of(request));
      return;
    case Kind::cross_scaled:
      return scaled_products(masks, products[0]);
    case Kind::bit_bytes:
      return bit_bytes(request, units, masks[0], products[0]);
    case Kind::lookup:
      return find_entries(products[0].span(), masks[0].span(), masks[1].span(),
                          static_cast<unsigned>(request.dims[0]));
    case Kind::half_select:
      return half_selections(request, units, masks, products);
    case Kind::matrix: {
      const auto [m, k, n] = matrix_shape(request);
      return ring::matmul(products[0].span(), masks[0].span(), masks[1].span(), m, k, n, false,
                          pool);
    }
    case Kind::mask:
      return;
    case Kind::comparison_key:
      throw Error(Code::internal, "keys are no products of sums of masks");
    case Kind::masked_matrix:
      return masked_product(request, seeds, masks[0], products[0], pool);
  }
}

}  // namespace petcore::correlation
