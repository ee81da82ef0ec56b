// Declared costs. Bytes are what each party sends; where only one party sends (input, reveal) they
// are that party's.
#include <utility>

#include "protocol/semi2k/cross.h"
#include "protocol/semi2k/functions.h"
#include "protocol/semi2k/keyed.h"
#include "protocol/semi2k/leaves.h"
#include "protocol/semi2k/plans.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::Request;

constexpr std::uint64_t kWord = sizeof(std::uint64_t);

Cost truncation(std::size_t n, unsigned f) {
  return one_round(petcore::bits::num_words(n), own_bits_request(n, quotient_width(f)));
}

// A product opens `words`. The bits to truncate its n results by may follow its other sizes.
Cost product(std::uint64_t words, const Request& request, std::size_t n,
             std::span<const std::uint64_t> after) {
  Cost cost = one_round(words, request);
  if (!after.empty() && after[0] > 0) cost += truncation(n, static_cast<unsigned>(after[0]));
  return cost;
}

// A circuit over blocks: one round for each request of its plan, which for edaBits is an opening
// mod 2^width and for lookups are two; an AND pair opens three words per unit, an AND gate two, a
// daBit one packed bit.
Cost circuit(const Setting& setting, std::size_t n, unsigned width,
             Plan (*make_plan)(const Setting&, std::size_t, unsigned), unsigned of) {
  Cost cost;
  const auto add_block = [&](std::size_t, std::size_t size) {
    for (const Request& request : make_plan(setting, size, of)) {
      if (request.kind == Kind::lookup) {
        cost += lookup_cost(request);
        continue;
      }
      with_correlation(cost, request);
      if (request.kind == Kind::edabit) cost += one_round(opened_words(size, width));
      if (request.kind == Kind::and_pair) cost += one_round(3 * request.units);
      if (request.kind == Kind::tree_layer)
        cost += one_round(correlation::layer_of(request).num_opened() * request.units);
      if (request.kind == Kind::dabit || request.kind == Kind::cross_bit)
        cost += one_round(petcore::bits::num_words(size));
    }
  };
  for_each_block(n, add_block, make_plan == bits_plan ? kBlock : block_of(setting));
  return cost;
}

Request masked_request(std::span<const std::uint64_t> d) {
  const Request mask{.kind = Kind::mask, .units = d[0] * d[1], .dims = {d[0], d[1]}};
  return correlation::masked_matrix_request(mask, d[2], d[3], d[4] != 0, d[5]);
}

struct NumDims {
  std::size_t min, max;
};
NumDims num_dims(Op op) {
  if (op == Op::matmul) return {3, 4};
  if (op == Op::masked_matmul) return {6, 7};
  if (op == Op::msb || op == Op::fss_sign || op == Op::fss_select) return {1, 3};
  if (op == Op::fss_zero || op == Op::fss_interval) return {1, 2};
  if (op == Op::equal_zero || op == Op::bits || op == Op::mul || op == Op::square) return {1, 2};
  if (op == Op::truncate || op == Op::truncate_exact || op == Op::mask) return {2, 2};
  if (is_function(op)) return {2, 2};
  return {1, 1};
}

bool is_product(Op op) {
  return op == Op::mul || op == Op::square || op == Op::matmul || op == Op::masked_matmul;
}

// bits_left is what a comparison of these sizes looks at.
unsigned bits_left(std::span<const std::uint64_t> d) {
  BitRange range;  // sizes up to 2^32 are clamped to what the check refuses
  const auto clamped = [](std::uint64_t x) { return static_cast<unsigned>(x < 65 ? x : 65); };
  if (d.size() > 1) range.width = clamped(d[1]);
  if (d.size() > 2) range.drop = clamped(d[2]);
  check_range(range);
  return range.width - range.drop;
}

void check_dims(Op op, std::span<const std::uint64_t> d) {
  const NumDims num = num_dims(op);
  check(
      d.size() >= num.min && d.size() <= num.max, Code::usage,
      "declared() takes n; n, width and drop, or fewer, to msb, fss_sign and fss_select; n and "
      "width, or n, to equal_zero, bits, fss_zero and fss_interval; n and bits to truncate; n and "
      "fraction bits to a function; rows and columns to "
      "mask; m, k, n to matmul; "
      "rows, columns, first row, last row + 1, transposed, n to masked_matmul; and after the sizes "
      "of a product the bits to truncate it by, or 0");
  for (const std::uint64_t size : d)
    check(size <= correlation::kUnitsMax, Code::usage, "declared() takes sizes up to 2^32");
  if (is_product(op) && d.size() == num.max)
    check(d.back() <= 61, Code::usage, "truncation takes 1 to 61 bits, or 0 for none");
  if (op == Op::truncate || op == Op::truncate_exact)
    check(d[1] >= 1 && d[1] <= 61, Code::usage, "truncation takes 1 to 61 bits");
  if (is_function(op)) check_frac_bits(d[1]);
  if (op == Op::masked_matmul)
    check(d[2] < d[3] && d[3] <= d[0], Code::usage,
          "the rows asked for are not rows of the masked matrix");
}

}  // namespace

Cost one_round(std::uint64_t words) {
  Cost cost;
  cost.rounds = 1, cost.bytes = words * kWord;
  return cost;
}

Cost one_round(std::uint64_t words, const Request& request) {
  Cost cost = one_round(words);
  return with_correlation(cost, request);
}

Cost layers_cost(const Plan& layers) {
  Cost cost;
  for (const Request& layer : layers)
    cost += one_round(correlation::layer_of(layer).num_opened() * layer.units, layer);
  return cost;
}

Cost Semi2k::declared(Op op, std::span<const std::uint64_t> dims) const {
  check_dims(op, dims);
  Cost cost = added_up(op, dims);
  const correlation::Price price = std::exchange(cost.price, {});
  cost.offline_bytes = setting_.dealt ? price.dealt_bytes : price.made_bytes(setting_.block_bytes);
  return cost;
}

Cost Semi2k::added_up(Op op, std::span<const std::uint64_t> d) const {
  const std::uint64_t n = d[0], packed = petcore::bits::num_words(n);
  switch (op) {
    case Op::input:
      return one_round(0);
    case Op::open:
    case Op::reveal:
      return one_round(n);
    case Op::open_bits:
    case Op::reveal_bits:
      return one_round(packed);
    case Op::mul:
      return product(2 * n, {.kind = Kind::multiplication, .units = n}, n, d.subspan(1));
    case Op::square:
      return product(n, {.kind = Kind::square, .units = n}, n, d.subspan(1));
    case Op::matmul:
      return product(d[0] * d[1] + d[1] * d[2], correlation::matrix_request(d[0], d[1], d[2]),
                     d[0] * d[2], d.subspan(3));
    case Op::and_bits:
      return one_round(2 * packed, {.kind = Kind::and_gate, .units = packed});
    case Op::mul_bit:
      return one_round(packed + n, {.kind = Kind::bit_product, .units = n});
    case Op::b2a:
      return one_round(packed, {.kind = Kind::dabit, .units = n});
    case Op::msb:
      return circuit(setting_, n, bits_left(d), msb_plan, bits_left(d));
    case Op::equal_zero:
      return circuit(setting_, n, bits_left(d), equal_zero_plan, bits_left(d));
    case Op::bits:
      return circuit(setting_, n, bits_left(d), bits_plan, bits_left(d));
    case Op::fss_sign:
      check_keyed();
      return keyed_cost(n, bits_left(d), correlation::KeyForm::sign);
    case Op::fss_zero:
      check_keyed();
      return keyed_cost(n, bits_left(d), correlation::KeyForm::point);
    case Op::fss_interval:
      check_keyed();
      return keyed_cost(n, bits_left(d), correlation::KeyForm::below);
    case Op::fss_select:
      check_keyed();
      return keyed_select_cost(n, bits_left(d));
    case Op::truncate:
      return truncation(n, static_cast<unsigned>(d[1]));
    case Op::truncate_exact:
      return circuit(setting_, n, static_cast<unsigned>(d[1]) + 1, truncate_exact_plan,
                     static_cast<unsigned>(d[1]));
    case Op::mask:
      return one_round(d[0] * d[1], {.kind = Kind::mask, .units = d[0] * d[1]});
    case Op::masked_matmul: {
      const Request request = masked_request(d);
      const auto shape = correlation::matrix_shape(request);
      return product(shape.k * shape.n, request, shape.m * shape.n, d.subspan(6));
    }
    case Op::exp:
    case Op::sigmoid:
    case Op::tanh:
    case Op::log:
    case Op::sqrt:
    case Op::rsqrt:
    case Op::reciprocal:
      return function_cost(op, n, static_cast<unsigned>(d[1]));
  }
  throw Error(Code::internal, "an operation without a declared cost");
}

std::unique_ptr<Protocol> make(Setting setting) { return std::make_unique<Semi2k>(setting); }

}  // namespace petcore::protocol::semi2k
