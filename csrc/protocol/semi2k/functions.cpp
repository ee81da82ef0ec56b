#include "protocol/semi2k/functions.h"

namespace petcore::protocol::semi2k {

void Semi2k::function(Env& env, Op op, Words out, ConstWords x, unsigned f) const {
  if (op == Op::exp) return exponential(env, out, x, f);
  if (op == Op::sigmoid || op == Op::tanh) return sigmoid(env, out, x, f, op == Op::tanh);
  normalised(env, op, out, x, f);
}

Cost function_cost(Op op, std::size_t n, unsigned f) {
  if (op == Op::exp) return exponential_cost(n, f);
  if (op == Op::sigmoid || op == Op::tanh) return sigmoid_cost(n, f, op == Op::tanh);
  return normalised_cost(op, n, f);
}

}  // namespace petcore::protocol::semi2k
