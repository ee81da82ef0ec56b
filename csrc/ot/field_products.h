// Products of random elements of GF(2^128) with delta, straight from correlated transfers:
//
//   b_i = c_i ^ a_i delta,   b_i = sum_j x^j q_ij,   c_i = sum_j x^j t_ij
//
// where bit j of a_i is the choice of transfer 128 i + j (Gilboa, "Two Party RSA Key Generation",
// CRYPTO 1999, section 4; here delta is the factor itself, so nothing is sent but the transfers).
#pragma once

#include <span>

#include "net/channel.h"
#include "ot/cot.h"

namespace petcore::ot {

constexpr std::size_t kFieldBits = 128;

// multiply_as_sender fills b; multiply_as_receiver draws a from the system and fills a and c. Both
// take 128 transfers for each element.
void multiply_as_sender(const net::Step& step, CotSender& cot, std::span<Block> b);
void multiply_as_receiver(const net::Step& step, CotReceiver& cot, std::span<Block> a,
                          std::span<Block> c);

}  // namespace petcore::ot
