// Flow: oblivious transfers of strings in both directions at once, block by block. For each block
// the receiver's extension travels one way, the sender's corrections the other way; with one block
// ahead, computing and the link overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/buffer.h"
#include "base/pool.h"
#include "hash/crh.h"
#include "net/channel.h"
#include "ot/extension.h"

namespace petcore::ot {

// Half is one direction of a run: how many transfers block i has, and the bytes of corrections.
struct Half {
  std::size_t num_blocks = 0;
  std::function<std::size_t(std::size_t block)> transfers;
  std::function<std::size_t(std::size_t block)> bytes;
};
// As the sender of the transfers: fill the corrections of a block.
struct Sending : Half {
  std::function<void(std::size_t block, std::span<const Block> q, hash::Tweak first, Bytes out)>
      correct;
};
// As the receiver: fill the choices of a block; later take the corrections.
struct Receiving : Half {
  std::function<void(std::size_t block, Words choices)> choose;
  std::function<void(std::size_t block, std::span<const Block> t, hash::Tweak first,
                     ConstBytes corrections)>
      take;
};

class Flow {
 public:
  Flow(std::shared_ptr<net::Channel> channel, int party, const Options& options, Pool& pool);

  void prepare(const net::Step& step);
  // run does both halves. The peer's Receiving has the shape of this party's Sending, and the
  // other way round. Tweaks count the transfers of one delta; their high word is free for the
  // caller to tell apart several hashes of one transfer.
  void run(const net::Step& step, const Sending& sending, const Receiving& receiving);

  int party() const { return party_; }
  Pool& pool() { return pool_; }
  Block delta() const { return sender_->delta(); }

 private:
  void run_blocks(const net::Step& step, const Sending& sending, const Receiving& receiving);

  std::shared_ptr<net::Channel> channel_;
  int party_;
  Pool& pool_;
  const std::size_t stretch_;  // transfers of one direction that are reserved at a time
  std::unique_ptr<CotSender> sender_;
  std::unique_ptr<CotReceiver> receiver_;
  std::uint64_t sent_ = 0, received_ = 0;  // transfers used up, by direction
  bool broken_ = false;
};

}  // namespace petcore::ot
