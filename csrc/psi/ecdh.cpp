#include "psi/ecdh.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "base/bytes.h"
#include "group/p256.h"
#include "psi/shuffle.h"
#include "psi/tags.h"

namespace petcore::psi {
namespace {

using group::kPointBytes;
using group::Point;
using group::Scalar;

constexpr std::string_view kTag = "petcore-PSI-ECDH-v1-P256_XMD:SHA-256_SSWU_RO_";
constexpr unsigned kStatisticalBits = 40;
constexpr std::size_t kChunk = 256, kGrain = 8;
// Chunks that a party may be ahead of its peer: what is on its way over a long line meanwhile.
constexpr std::size_t kAhead = 24;
constexpr std::size_t kTagChunk = 1 << 16;

unsigned bits_of(std::uint64_t size) {
  return size <= 1 ? 0 : static_cast<unsigned>(std::bit_width(size - 1));
}

// Intersection is one end of one run.
class Intersection {
 public:
  Intersection(net::Channel& link, const net::Step& step, Pool& pool, const EcdhItems& items,
               const EcdhRequest& request, const Progress& progress)
      : link_(link),
        step_(step),
        pool_(pool),
        items_(items),
        request_(request),
        progress_(progress),
        secret_(Scalar::random()) {}

  EcdhResult run() {
    agree();
    order_ = random_order(items_.size);
    exchange_points();
    return exchange_tags();
  }

 private:
  void agree() {
    ByteWriter mine;
    mine.put<std::uint64_t>(items_.size);
    mine.put(static_cast<std::uint8_t>(request_.answer));
    mine.put<std::uint8_t>(request_.mine);
    mine.put<std::uint8_t>(request_.theirs);
    link_.send_message(step_, mine.bytes());
    const auto message = link_.recv_message(step_);
    ByteReader theirs(message);
    size_of_other_ = theirs.get<std::uint64_t>();
    check(size_of_other_ <= kEcdhItemsMax, Code::frame, "a peer's set has more than 2^28 items");
    const auto answer = theirs.get<std::uint8_t>(), to_them = theirs.get<std::uint8_t>(),
               to_me = theirs.get<std::uint8_t>();
    theirs.expect_end();
    check(answer == static_cast<std::uint8_t>(request_.answer) &&
              to_them == (request_.theirs ? 1 : 0) && to_me == (request_.mine ? 1 : 0),
          Code::step, "the parties want different answers from an intersection");
    tag_bytes_ = tag_bytes(items_.size, size_of_other_);
  }

  // Chunk i of the own points leaves before chunk i - kAhead of the other's is waited for.
  void exchange_points() {
    const std::size_t own_chunks = (items_.size + kChunk - 1) / kChunk;
    const std::size_t their_chunks = (size_of_other_ + kChunk - 1) / kChunk;
    const std::size_t rounds = std::max(own_chunks, their_chunks == 0 ? 0 : their_chunks + kAhead);
    Buffer<std::byte> own(std::min(items_.size, kChunk) * kPointBytes);
    Buffer<std::byte> theirs(std::min<std::uint64_t>(size_of_other_, kChunk) * kPointBytes);
    for (std::size_t i = 0; i < rounds; ++i) {
      Bytes outgoing, incoming;
      if (i < own_chunks) outgoing = mask_own(own.span(), i * kChunk);
      if (i >= kAhead && i - kAhead < their_chunks) {
        const std::size_t left = size_of_other_ - (i - kAhead) * kChunk;
        incoming = theirs.span().first(std::min(left, kChunk) * kPointBytes);
      }
      if (outgoing.empty() && incoming.empty()) continue;
      link_.exchange(step_, outgoing, incoming);
      mask_theirs(incoming);
      report((outgoing.size() + incoming.size()) / kPointBytes);
    }
  }

  Bytes mask_own(Bytes out, std::size_t begin) {
    const std::size_t n = std::min(items_.size - begin, kChunk);
    pool_.parallel_for(n, kGrain, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        const Point p = group::hash_to_curve(items_.item(order_[begin + i]), kTag);
        (secret_ * p).encode(out.subspan(i * kPointBytes, kPointBytes));
      }
    });
    return out.first(n * kPointBytes);
  }

  // Memory for the tags grows with what has arrived, not with what was announced.
  void mask_theirs(ConstBytes points) {
    const std::size_t n = points.size() / kPointBytes, begin = their_tags_.size();
    their_tags_.resize(begin + n);
    pool_.parallel_for(n, kGrain, [&](std::size_t first, std::size_t last) {
      std::array<std::byte, kPointBytes> end;
      for (std::size_t i = first; i < last; ++i) {
        const Point p = Point::decode(points.subspan(i * kPointBytes, kPointBytes));
        (secret_ * p).encode(end);
        their_tags_[begin + i] = read_tag(ConstBytes(end).last(tag_bytes_));
      }
    });
  }

  EcdhResult exchange_tags() {
    const std::size_t to_send = request_.theirs ? size_of_other_ : 0;
    const std::size_t to_receive = request_.mine ? items_.size : 0;
    const bool shuffled = request_.answer == Answer::cardinality;
    const Order order = random_order(shuffled ? to_send : 0);
    EcdhResult result{size_of_other_, 0, {}};
    const TagSet known(request_.mine ? std::span<const Tag>(their_tags_) : std::span<const Tag>());
    std::vector<TaggedPosition> common;
    Buffer<std::byte> own(std::min(to_send, kTagChunk) * tag_bytes_);
    Buffer<std::byte> theirs(std::min(to_receive, kTagChunk) * tag_bytes_);
    for (std::size_t begin = 0; begin < std::max(to_send, to_receive); begin += kTagChunk) {
      const std::size_t out = std::min(to_send - std::min(begin, to_send), kTagChunk);
      const std::size_t in = std::min(to_receive - std::min(begin, to_receive), kTagChunk);
      for (std::size_t i = 0; i < out; ++i)
        write_tag(own.span().subspan(i * tag_bytes_, tag_bytes_),
                  their_tags_[shuffled ? order[begin + i] : begin + i]);
      const Bytes incoming = theirs.span().first(in * tag_bytes_);
      link_.exchange(step_, own.span().first(out * tag_bytes_), incoming);
      for (std::size_t i = 0; i < in; ++i) {
        const Tag tag = read_tag(incoming.subspan(i * tag_bytes_, tag_bytes_));
        if (!known.contains(tag)) continue;
        ++result.cardinality;
        if (!shuffled) common.push_back({tag, order_[begin + i]});
      }
    }
    result.positions = in_common_order(common);
    return result;
  }

  void report(std::size_t items) {
    done_ += items;
    if (progress_) progress_(done_, items_.size + size_of_other_);
  }

  net::Channel& link_;
  const net::Step& step_;
  Pool& pool_;
  const EcdhItems& items_;
  const EcdhRequest& request_;
  const Progress& progress_;
  const Scalar secret_;
  std::uint64_t size_of_other_ = 0, done_ = 0;
  std::size_t tag_bytes_ = 0;
  Order order_;  // own item order_[i] travels at place i
  std::vector<Tag> their_tags_;
};

}  // namespace

std::size_t tag_bytes(std::uint64_t size, std::uint64_t size_of_other) {
  return (kStatisticalBits + bits_of(size) + bits_of(size_of_other) + 7) / 8;
}

EcdhResult intersect_ecdh(net::Channel& link, const net::Step& step, Pool& pool,
                          const EcdhItems& items, const EcdhRequest& request,
                          const Progress& progress) {
  check(items.size <= kEcdhItemsMax, Code::usage, "a set has more than 2^28 items; use buckets");
  check(request.mine || request.theirs, Code::usage, "an intersection that nobody is to learn");
  return Intersection(link, step, pool, items, request, progress).run();
}

}  // namespace petcore::psi
