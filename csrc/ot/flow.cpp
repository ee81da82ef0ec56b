#include "ot/flow.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.h"
#include "bits/bits.h"
#include "ot/silent.h"

namespace petcore::ot {
namespace {

struct Largest {
  std::size_t transfers = 0, bytes = 0, total = 0;

  explicit Largest(const Half& half) {
    for (std::size_t i = 0; i < half.num_blocks; ++i) {
      transfers = std::max(transfers, half.transfers(i));
      bytes = std::max(bytes, half.bytes(i));
      total += half.transfers(i);
    }
  }
};

// part is blocks [first, end) of one direction, as far as there are so many.
void cut(Half& half, std::size_t first, std::size_t end) {
  const std::size_t last = std::min(end, half.num_blocks);
  half.num_blocks = last > first ? last - first : 0;
  half.transfers = [first, of = half.transfers](std::size_t i) { return of(first + i); };
  half.bytes = [first, of = half.bytes](std::size_t i) { return of(first + i); };
}
Sending part(Sending half, std::size_t first, std::size_t end) {
  cut(half, first, end);
  half.correct = [first, of = half.correct](std::size_t i, std::span<const Block> q,
                                            hash::Tweak tweak,
                                            Bytes out) { of(first + i, q, tweak, out); };
  return half;
}
Receiving part(Receiving half, std::size_t first, std::size_t end) {
  cut(half, first, end);
  half.choose = [first, of = half.choose](std::size_t i, Words choices) { of(first + i, choices); };
  half.take = [first, of = half.take](std::size_t i, std::span<const Block> t, hash::Tweak tweak,
                                      ConstBytes in) { of(first + i, t, tweak, in); };
  return half;
}

}  // namespace

Flow::Flow(std::shared_ptr<net::Channel> channel, int party, const Options& options, Pool& pool)
    : channel_(std::move(channel)),
      party_(party),
      pool_(pool),
      stretch_(options.kind == Options::Kind::silent ? kRefillMax
                                                     : std::numeric_limits<std::size_t>::max()),
      sender_(make_sender(channel_, pool, options)),
      receiver_(make_receiver(channel_, pool, options)) {
  check(party == 0 || party == 1, Code::usage, "oblivious transfer is between parties 0 and 1");
}

void Flow::prepare(const net::Step& step) {
  check(!broken_, Code::broken, "oblivious transfer failed earlier");
  broken_ = true;
  sender_->prepare(step);
  reserve_both(step, static_cast<unsigned>(party_), *sender_, *receiver_, 0);
  receiver_->extend(step, {}, {});
  sender_->extend(step, {});
  broken_ = false;
}

// A silent extension keeps what it has reserved in memory, so a long run goes in stretches, each
// reserved before it begins: blocks from the first on whose transfers stay within the limit either
// way, at least one. Both parties find the same borders.
void Flow::run(const net::Step& step, const Sending& sending, const Receiving& receiving) {
  check(!broken_, Code::broken, "oblivious transfer failed earlier");
  broken_ = true;
  const std::size_t blocks = std::max(sending.num_blocks, receiving.num_blocks);
  for (std::size_t first = 0, end = 0; first < blocks; first = end) {
    std::size_t out = 0, in = 0;
    for (end = first; end < blocks; ++end) {
      out += end < sending.num_blocks ? sending.transfers(end) : 0;
      in += end < receiving.num_blocks ? receiving.transfers(end) : 0;
      if (end > first && std::max(out, in) > stretch_) break;
    }
    run_blocks(step, part(sending, first, end), part(receiving, first, end));
  }
  broken_ = false;
}

// Each party sends the extension of block i + 1 before the corrections of block i, so that the peer
// can work on it meanwhile; so it takes the peer's in that order, too.
void Flow::run_blocks(const net::Step& step, const Sending& sending, const Receiving& receiving) {
  const Largest out(sending), in(receiving);
  Buffer<Block> q(out.transfers);
  std::array<Buffer<Block>, 2> t = {Buffer<Block>(in.transfers), Buffer<Block>(in.transfers)};
  Buffer<std::uint64_t> choices(bits::num_words(in.transfers));
  Buffer<std::byte> corrections(out.bytes), taken(in.bytes);
  const auto extend = [&](std::size_t i) {
    if (i >= receiving.num_blocks) return;
    const std::size_t n = receiving.transfers(i);
    const Words own = choices.span().first(bits::num_words(n));
    receiving.choose(i, own);
    receiver_->extend(step, own, t[i % 2].span().first(n));
  };
  if (sending.num_blocks > 0) sender_->prepare(step);
  if (party_ == 0 && in.total > 0) receiver_->reserve(step, in.total);
  if (out.total > 0) sender_->reserve(step, out.total);
  if (party_ != 0 && in.total > 0) receiver_->reserve(step, in.total);
  extend(0);
  for (std::size_t i = 0; i <= std::max(sending.num_blocks, receiving.num_blocks); ++i) {
    const std::span<Block> own =
        i < sending.num_blocks ? q.span().first(sending.transfers(i)) : std::span<Block>();
    if (!own.empty()) sender_->extend(step, own);
    if (i >= 1 && i - 1 < receiving.num_blocks) {
      const Bytes bytes = taken.span().first(receiving.bytes(i - 1));
      channel_->recv(step, bytes);
      const std::size_t n = receiving.transfers(i - 1);
      receiving.take(i - 1, t[(i - 1) % 2].span().first(n), {0, received_}, bytes);
      received_ += n;
    }
    extend(i + 1);
    if (i < sending.num_blocks) {
      const Bytes bytes = corrections.span().first(sending.bytes(i));
      sending.correct(i, own, {0, sent_}, bytes);
      sent_ += own.size();
      channel_->send(step, bytes);
    }
  }
}

}  // namespace petcore::ot
