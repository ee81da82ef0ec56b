#include "ot/silent.h"

#include <algorithm>

#include "base/error.h"
#include "bits/bits.h"
#include "ot/expand_convolute.h"
#include "ot/tree_message.h"
#include "prg/prg.h"

namespace petcore::ot {
namespace {

// Guard marks an extension broken for as long as a call has not come to its end.
class Guard {
 public:
  explicit Guard(bool& broken) : broken_(broken) {
    check(!broken, Code::broken, "the silent extension failed earlier");
    broken_ = true;
  }
  void done() { broken_ = false; }

 private:
  bool& broken_;
};

void check_reserve(std::size_t n) {
  check(n <= kReserveMax, Code::usage, "silent extension: at most 2^24 transfers can be reserved");
}

Forest forest_of(const NoiseShape& shape, std::uint64_t& trees_made) {
  const Forest forest{shape.trees, shape.depth, TreeKind::correlated, trees_made};
  trees_made += shape.trees;
  return forest;
}

// half_of is where a tree's leaves go: the first half of the trees is the code's systematic part.
template <class T>
T* half_of(std::size_t tree, const NoiseShape& shape, std::size_t per_tree, T* head, T* tail) {
  const std::size_t half = shape.trees / 2;
  return (tree < half ? head : tail) + (tree % half) * per_tree;
}

// read_bits copies n packed bits from bit `first` on; the tail is zero.
void read_bits(Words out, ConstWords in, std::size_t first, std::size_t n) {
  const std::size_t shift = first % 64, word = first / 64;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t low = in[word + i] >> shift;
    const bool more = shift != 0 && word + i + 1 < in.size();
    out[i] = low | (more ? in[word + i + 1] << (64 - shift) : 0);
  }
  if (n % 64 != 0) out[out.size() - 1] &= (std::uint64_t{1} << (n % 64)) - 1;
}

Bytes packed_bytes(Words words, std::size_t n) {
  return std::as_writable_bytes(words).first((n + 7) / 8);
}

}  // namespace

NoiseShape Stock::next_refill(std::size_t missing) const {
  return noise_for(std::clamp(std::max(missing, made_), kRefillMin, kRefillMax));
}

void Stock::add(Lot lot) {
  size_ += lot.blocks.size();
  made_ += lot.blocks.size();
  lots_.push_back(std::make_shared<const Lot>(std::move(lot)));
}

Stock::Taken Stock::take(std::size_t n) {
  const std::shared_ptr<const Lot> lot = lots_.front();
  const std::size_t first = used_, size = std::min(n, lot->blocks.size() - used_);
  used_ += size;
  size_ -= size;
  if (used_ == lot->blocks.size()) lots_.pop_front(), used_ = 0;
  return {lot, first, size};
}

SilentSender::SilentSender(std::shared_ptr<net::Channel> channel, std::unique_ptr<CotSender> base,
                           Pool& pool)
    : channel_(std::move(channel)), base_(std::move(base)), pool_(pool) {}

void SilentSender::reserve(const net::Step& step, std::size_t n) {
  check_reserve(n);
  Guard guard(broken_);
  if (n == 0) base_->extend(step, {});
  while (stock_.size() < n) refill(step, n - stock_.size());
  guard.done();
}

void SilentSender::refill(const net::Step& step, std::size_t missing) {
  const NoiseShape shape = stock_.next_refill(missing);
  const Forest forest = forest_of(shape, trees_made_);
  Buffer<Block> q(forest.transfers()), message(forest.message_blocks());
  base_->extend(step, q.span());
  Buffer<Block> head(shape.outputs()), tail(shape.outputs());
  const Grower grower{forest, delta(), prg::random_seed(), q.span(), {}};
  grow(grower, message.span(), pool_, [&](std::size_t tree, std::span<const Block> leaves) {
    Block* const to = half_of(tree, shape, leaves.size(), head.data(), tail.data());
    std::copy(leaves.begin(), leaves.end(), to);
  });
  send_trees(*channel_, step, grower.hash_key, forest, message.span());
  compress(head.span(), tail.span(), pool_);
  stock_.add({std::move(head), {}});
}

void SilentSender::extend(const net::Step& step, std::span<Block> q) {
  Guard guard(broken_);
  const Block d = delta();
  for (std::size_t done = 0; done < q.size();) {
    if (stock_.size() == 0) refill(step, q.size() - done);
    const Stock::Taken taken = stock_.take(q.size() - done);
    Buffer<std::uint64_t> flips(bits::num_words(taken.n));
    channel_->recv(step, packed_bytes(flips.span(), taken.n));
    const std::span<const Block> made = taken.blocks();
    for (std::size_t i = 0; i < taken.n; ++i)
      q[done + i] = made[i] ^ (d & mask_of((flips[i / 64] >> (i % 64)) & 1));
    done += taken.n;
  }
  guard.done();
}

SilentReceiver::SilentReceiver(std::shared_ptr<net::Channel> channel,
                               std::unique_ptr<CotReceiver> base, Pool& pool)
    : channel_(std::move(channel)), base_(std::move(base)), pool_(pool) {}

void SilentReceiver::reserve(const net::Step& step, std::size_t n) {
  check_reserve(n);
  Guard guard(broken_);
  if (n == 0) base_->extend(step, {}, {});
  while (stock_.size() < n) refill(step, n - stock_.size());
  guard.done();
}

void SilentReceiver::refill(const net::Step& step, std::size_t missing) {
  const NoiseShape shape = stock_.next_refill(missing);
  const Forest forest = forest_of(shape, trees_made_);
  const std::size_t k = shape.outputs(), words = forest.leaves() / 64;
  const Buffer<std::uint64_t> turns = random_choices(forest.transfers());
  Buffer<Block> t(forest.transfers()), message(forest.message_blocks());
  base_->extend(step, turns.span(), t.span());
  const prg::Seed hash_key = recv_trees(*channel_, step, forest, message.span());

  Buffer<Block> head(k), tail(k);
  Buffer<std::uint64_t> head_bits(k / 64), tail_bits(k / 64);
  const Regrower regrower{forest, hash_key, turns.span(), t.span(), {}, message.span()};
  regrow(regrower, pool_, [&](std::size_t tree, std::span<const Block> leaves, std::size_t index) {
    Block* const to = half_of(tree, shape, leaves.size(), head.data(), tail.data());
    std::copy(leaves.begin(), leaves.end(), to);
    std::uint64_t* const noise = half_of(tree, shape, words, head_bits.data(), tail_bits.data());
    for (std::size_t w = 0; w < words; ++w) noise[w] = equal_bit(w, index / 64) << (index % 64);
  });
  compress(head.span(), tail.span(), pool_);
  compress_bits(head_bits.span(), tail_bits.span(), k, pool_);
  stock_.add({std::move(head), std::move(head_bits)});
}

void SilentReceiver::extend(const net::Step& step, ConstWords choices, std::span<Block> t) {
  check(choices.size() == bits::num_words(t.size()), Code::usage,
        "silent extension: choices are packed, one bit for each transfer");
  Guard guard(broken_);
  for (std::size_t done = 0; done < t.size();) {
    if (stock_.size() == 0) refill(step, t.size() - done);
    const Stock::Taken taken = stock_.take(t.size() - done);
    Buffer<std::uint64_t> flips(bits::num_words(taken.n)), wanted(flips.size());
    read_bits(flips.span(), taken.lot->bits.span(), taken.first, taken.n);
    read_bits(wanted.span(), choices, done, taken.n);
    for (std::size_t i = 0; i < flips.size(); ++i) flips[i] ^= wanted[i];
    channel_->send(step, packed_bytes(flips.span(), taken.n));
    const std::span<const Block> made = taken.blocks();
    std::copy(made.begin(), made.end(), t.begin() + static_cast<std::ptrdiff_t>(done));
    done += taken.n;
  }
  guard.done();
}

}  // namespace petcore::ot
