#include "correlation/ot_making.h"

#include "correlation/lookups.h"
#include "correlation/ot_bits.h"
#include "correlation/streams.h"
#include "ring/residue.h"
#include "ring/ring.h"

namespace petcore::correlation {
namespace {

using ot::Modulus;

void multiply(Making& making, std::uint64_t units, Chunk& chunk) {
  const Words out = chunk.products[0].span();
  const ConstWords a = chunk.masks[0].span(), b = chunk.masks[1].span();
  making.ot.cross_words(making.step, out, a, b, units);
  Buffer<std::uint64_t> own(units);
  ring::mul(own.span(), a, b);
  ring::add(out, out, own.span());
}

// (a0 + a1)^2 = a0^2 + a1^2 + 2 a0 a1.
void square(Making& making, std::uint64_t units, Chunk& chunk) {
  const Words out = chunk.products[0].span();
  const ConstWords a = chunk.masks[0].span();
  making.ot.word_products(making.step, out, a, units);
  Buffer<std::uint64_t> own(units);
  ring::mul(own.span(), a, a);
  for (std::uint64_t i = 0; i < units; ++i) out[i] = 2 * out[i] + own[i];
}

// a (m x k) is this party's share of the left factor.
void multiply_matrices(Making& making, const Request& request, ConstWords a, ConstWords b,
                       Words out) {
  const auto [m, k, n] = matrix_shape(request);
  making.ot.cross_matrices(making.step, out, a, b, m, k, n);
  ring::matmul(out, a, b, m, k, n, true, making.pool);
}

void multiply_masked(Making& making, const Request& request, Chunk& chunk) {
  const auto& d = request.dims;
  const Request mask{
      .kind = Kind::mask, .units = d[1] * d[2], .dims = {d[1], d[2]}, .counter = d[0]};
  const std::uint64_t rows = d[4] - d[3], columns = d[2];
  Buffer<std::uint64_t> a(rows * columns);
  mask_words(making.seed, mask, d[3] * columns, a.span(), making.pool);
  if (d[5] != 0) {
    Buffer<std::uint64_t> turned(a.size());
    ring::transpose(turned.span(), a.span(), rows, columns);
    a = std::move(turned);
  }
  multiply_matrices(making, request, a.span(), chunk.masks[0].span(), chunk.products[0].span());
}

void look_up(Making& making, const Request& request, std::uint64_t units, Chunk& chunk) {
  const auto width = static_cast<unsigned>(request.dims[0]);
  const ConstWords masks = chunk.masks[0].span();
  const std::size_t table = table_rows(width) * units, half = width * units;
  const Words out = chunk.products[0].span();
  const Words first = out.first(half), second = out.subspan(half);
  making.ot.lookups_16(
      making.step, {making.party == 0 ? first : second, masks.first(table), 64 * units},
      {making.party == 0 ? second : first, masks.subspan(table), 64 * units}, width);
}

}  // namespace

bool remakes_masks(const Request& request) {
  return request.kind == Kind::edabit || request.kind == Kind::digits ||
         request.kind == Kind::waves;
}

void make_chunk(Making& making, const Request& request, std::uint64_t units, Chunk& chunk) {
  const Words out = chunk.products[0].span();
  const ConstWords own = chunk.masks[0].span();
  switch (request.kind) {
    case Kind::multiplication:
      return multiply(making, units, chunk);
    case Kind::square:
      return square(making, units, chunk);
    case Kind::and_gate:
      return make_and(making, chunk, 1);
    case Kind::and_pair:
      return make_and(making, chunk, 2);
    case Kind::dabit:
      return make_dabit(making, request, units, chunk);
    case Kind::bit_product:
      return make_bit_product(making, units, chunk);
    case Kind::edabit:
      return make_grouped(making, request, units, chunk);
    case Kind::cross_bit:
      return making.ot.bit_products(making.step, out, own, units,
                                    request.dims[0] == 64 ? ot::Ring::words : ot::Ring::halves);
    case Kind::tree_layer:
      return make_layer(making, request, chunk);
    case Kind::cross_wide:
      return making.ot.word_products(making.step, out, own, units, Modulus::wide);
    case Kind::cross_scaled:
      return making.ot.cross_words(making.step, out, own.first(units), own.subspan(units), units,
                                   Modulus::residue);
    case Kind::digits:
      return make_digits(making, request, units, chunk);
    case Kind::waves:
      return make_waves(making, request, units, chunk);
    case Kind::lookup:
      return look_up(making, request, units, chunk);
    case Kind::half_select:
      return make_half_select(making, request, units, chunk);
    case Kind::bit_bytes:
      return make_bit_bytes(making, request, units, chunk);
    case Kind::matrix:
      return multiply_matrices(making, request, own, chunk.masks[1].span(), out);
    case Kind::mask:
      return;
    case Kind::masked_matrix:
      return multiply_masked(making, request, chunk);
    case Kind::comparison_key:
      break;
  }
  throw Error(Code::internal, "a kind of correlation that only a dealer makes");
}

}  // namespace petcore::correlation
