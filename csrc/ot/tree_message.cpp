#include "ot/tree_message.h"

#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "bits/bits.h"

namespace petcore::ot {
namespace {

using Head = std::array<std::byte, kTreeHeadBytes>;

Head head_of(const prg::Seed& hash_key, const Forest& forest) {
  Head head;
  std::memcpy(head.data(), hash_key.data(), hash_key.size());
  store_le<std::uint64_t>(head.data() + 16, forest.trees);
  store_le<std::uint32_t>(head.data() + 24, forest.depth);
  store_le<std::uint32_t>(head.data() + 28, static_cast<std::uint32_t>(forest.kind));
  store_le<std::uint64_t>(head.data() + 32, forest.first_tweak);
  return head;
}

}  // namespace

void send_trees(net::Channel& channel, const net::Step& step, const prg::Seed& hash_key,
                const Forest& forest, std::span<const Block> message) {
  channel.send(step, head_of(hash_key, forest));
  channel.send(step, std::as_bytes(message));
}

prg::Seed recv_trees(net::Channel& channel, const net::Step& step, const Forest& forest,
                     std::span<Block> message) {
  Head head;
  channel.recv(step, head);
  prg::Seed hash_key;
  std::memcpy(hash_key.data(), head.data(), hash_key.size());
  check(head == head_of(hash_key, forest), Code::step,
        "the peer makes trees for another number of transfers");
  channel.recv(step, std::as_writable_bytes(message));
  return hash_key;
}

Buffer<std::uint64_t> random_choices(std::size_t num_bits) {
  Buffer<std::uint64_t> choices(bits::num_words(num_bits));
  prg::random_bytes(std::as_writable_bytes(choices.span()));
  if (num_bits % 64 != 0) choices[choices.size() - 1] &= (std::uint64_t{1} << (num_bits % 64)) - 1;
  return choices;
}

}  // namespace petcore::ot
