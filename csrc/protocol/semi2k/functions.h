// Functions of reals in fixed point: each is one operation with one plan, so that the dealer works
// ahead of it. The plans and what is sent are here once, for the operation and its declared cost.
#pragma once

#include "correlation/tables.h"
#include "protocol/semi2k/plans.h"

namespace petcore::protocol::semi2k {

// exp: e^x for words with f fraction bits. See exponential.cpp.
void exponential(Env& env, Words out, ConstWords x, unsigned f);
Cost exponential_cost(std::size_t n, unsigned f);

// sigmoid: 1 / (1 + e^-x), or tanh(x) = 2 sigmoid(2x) - 1. See sigmoid.cpp.
void sigmoid(Env& env, Words out, ConstWords x, unsigned f, bool is_tanh);
Cost sigmoid_cost(std::size_t n, unsigned f, bool is_tanh);

// normalised: sqrt, rsqrt, reciprocal or log. See normalised.cpp.
void normalised(Env& env, Op op, Words out, ConstWords x, unsigned f);
Cost normalised_cost(Op op, std::size_t n, unsigned f);

// function_cost is the declared cost of any of them.
Cost function_cost(Op op, std::size_t n, unsigned f);

// one_round is the cost of a round that sends so many words, and of the correlation it uses.
Cost one_round(std::uint64_t words);
Cost one_round(std::uint64_t words, const correlation::Request& request);
// layers_cost is the cost of the requests that append_tree made.
Cost layers_cost(const Plan& layers);

}  // namespace petcore::protocol::semi2k
