// The one message of a batch of trees, from sender to receiver: what the batch is, the public key
// of its hash, and half_tree.h's blocks.
#pragma once

#include <span>

#include "base/block.h"
#include "base/buffer.h"
#include "net/channel.h"
#include "ot/half_tree.h"
#include "prg/prg.h"

namespace petcore::ot {

constexpr std::size_t kTreeHeadBytes = 40;

void send_trees(net::Channel& channel, const net::Step& step, const prg::Seed& hash_key,
                const Forest& forest, std::span<const Block> message);
// recv_trees fills the message and gives the key; a batch of another form raises Code::step.
prg::Seed recv_trees(net::Channel& channel, const net::Step& step, const Forest& forest,
                     std::span<Block> message);

// random_choices are packed bits from the system; the tail is zero.
Buffer<std::uint64_t> random_choices(std::size_t num_bits);

}  // namespace petcore::ot
