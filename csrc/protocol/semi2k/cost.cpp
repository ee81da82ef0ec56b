// Declared costs. Bytes are what each party sends; where only one party sends (input, reveal) they
// are that party's.
#include "protocol/semi2k/plans.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::Request;

constexpr std::uint64_t kWord = sizeof(std::uint64_t);

Cost one_round(std::uint64_t words) {
  return {.rounds = 1, .bytes = words * kWord, .dealer_bytes = 0, .correlations = {}};
}

Cost one_round(std::uint64_t words, const Request& request) {
  Cost cost = one_round(words);
  return with_correlation(cost, request);
}

// A circuit over blocks: one opening of n words, then one round per layer of its plan; an AND pair
// opens three words per unit, an AND gate two, a daBit one packed bit.
Cost circuit(std::size_t n, Plan (*make_plan)(std::size_t, unsigned), unsigned f) {
  Cost cost;
  for_each_block(n, [&](std::size_t, std::size_t size) {
    cost += one_round(size);
    for (const Request& request : make_plan(size, f)) {
      with_correlation(cost, request);
      if (request.kind == Kind::and_pair) cost += one_round(3 * request.units);
      if (request.kind == Kind::and_gate) cost += one_round(2 * request.units);
      if (request.kind == Kind::dabit) cost += one_round(petcore::bits::num_words(size));
    }
  });
  return cost;
}

Request masked_request(std::span<const std::uint64_t> d) {
  const Request mask{.kind = Kind::mask, .units = d[0] * d[1], .dims = {d[0], d[1]}};
  return correlation::masked_matrix_request(mask, d[2], d[3], d[4] != 0, d[5]);
}

std::size_t num_dims(Op op) {
  if (op == Op::matmul) return 3;
  if (op == Op::masked_matmul) return 6;
  return op == Op::truncate || op == Op::truncate_exact || op == Op::mask ? 2 : 1;
}

void check_dims(Op op, std::span<const std::uint64_t> d) {
  check(d.size() == num_dims(op), Code::usage,
        "declared() takes n; n and bits to truncate; rows and columns to mask; m, k, n to matmul; "
        "rows, columns, first row, last row + 1, transposed, n to masked_matmul");
  for (const std::uint64_t size : d)
    check(size <= correlation::kUnitsMax, Code::usage, "declared() takes sizes up to 2^32");
  if (op == Op::truncate || op == Op::truncate_exact)
    check(d[1] >= 1 && d[1] <= 61, Code::usage, "truncation takes 1 to 61 bits");
  if (op == Op::masked_matmul)
    check(d[2] < d[3] && d[3] <= d[0], Code::usage,
          "the rows asked for are not rows of the masked matrix");
}

}  // namespace

Cost Semi2k::declared(Op op, std::span<const std::uint64_t> d) const {
  check_dims(op, d);
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
      return one_round(2 * n, {.kind = Kind::multiplication, .units = n});
    case Op::square:
      return one_round(n, {.kind = Kind::square, .units = n});
    case Op::matmul:
      return one_round(d[0] * d[1] + d[1] * d[2], correlation::matrix_request(d[0], d[1], d[2]));
    case Op::and_bits:
      return one_round(2 * packed, {.kind = Kind::and_gate, .units = packed});
    case Op::mul_bit:
      return one_round(packed + n, {.kind = Kind::bit_product, .units = n});
    case Op::b2a:
      return one_round(packed, {.kind = Kind::dabit, .units = n});
    case Op::msb:
      return circuit(n, [](std::size_t s, unsigned) { return msb_plan(s); }, 0);
    case Op::equal_zero:
      return circuit(n, [](std::size_t s, unsigned) { return equal_zero_plan(s); }, 0);
    case Op::bits:
      return circuit(n, [](std::size_t s, unsigned) { return bits_plan(s); }, 0);
    case Op::truncate:
      return one_round(n, {.kind = Kind::truncation, .units = n, .dims = {d[1]}});
    case Op::truncate_exact:
      return circuit(n, truncate_exact_plan, static_cast<unsigned>(d[1]));
    case Op::mask: {
      Cost cost = one_round(d[0] * d[1]);
      cost.correlations[Kind::mask] = d[0] * d[1];
      return cost;
    }
    case Op::masked_matmul: {
      const Request request = masked_request(d);
      const auto shape = correlation::matrix_shape(request);
      return one_round(shape.k * shape.n, request);
    }
  }
  throw Error(Code::internal, "an operation without a declared cost");
}

std::unique_ptr<Protocol> make() { return std::make_unique<Semi2k>(); }

}  // namespace petcore::protocol::semi2k
