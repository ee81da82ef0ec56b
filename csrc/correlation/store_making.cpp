#include "correlation/store_making.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace petcore::correlation {
namespace {

constexpr std::uint64_t kLotSegmentsMax = 64;
// So many segments are asked for at once: the link stays busy and memory bounded.
constexpr std::uint64_t kGroup = 16;
constexpr std::uint64_t kOffersMax = 1 << 16;
constexpr std::size_t kEntryBytes = 32;

// The lot that is being made.
class Making {
 public:
  Making(Store& store, Source& source, const Id& lot) : store_(store), source_(source), lot_(lot) {}

  LotWriter& run(const net::Step& step, const PoolKey& pool, std::uint64_t segment,
                 std::uint64_t units) {
    for (std::uint64_t at = 0; at < units;) {
      std::vector<Request> group;
      for (; group.size() < kGroup && at < units; at += group.back().units)
        group.push_back(segment_request(pool, std::min(segment, units - at)));
      source_.plan(step, group);
      for (const Request& request : group) {
        const Kept kept = source_.kept(request);
        if (!writer_) begin(request, segment, units, kept);
        write(request, kept);
      }
      source_.finish();
    }
    writer_->sync();
    return *writer_;
  }

 private:
  void begin(const Request& request, std::uint64_t segment_units, std::uint64_t units,
             const Kept& kept) {
    const Shape rows = shape(request);
    std::uint32_t expanded = 0;
    for (std::size_t i = 0; i < rows.num_masks + rows.num_products; ++i)
      if (i < rows.num_masks ? kept.masks : kept.products) expanded |= std::uint32_t{1} << i;
    writer_.emplace(
        store_.path(), store_.key(),
        store_.draft(segment_request(pool_of(request), segment_units), units, expanded, lot_));
  }

  void write(const Request& request, const Kept& kept) {
    const Layout sizes = layout(request, request.units);
    const std::size_t count = sizes.num_masks + sizes.num_products;
    std::vector<Buffer<std::uint64_t>> streams;
    for (std::size_t i = 0; i < count; ++i)
      streams.emplace_back(i < sizes.num_masks ? sizes.masks[i]
                                               : sizes.products[i - sizes.num_masks]);
    take(streams, sizes);
    for (std::size_t i = 0; i < count; ++i) {
      if (!(i < sizes.num_masks ? kept.masks : kept.products)) continue;
      streams[i] = Buffer<std::uint64_t>(2);
      std::memcpy(streams[i].data(), kept.seeds[i].data(), kept.seeds[i].size());
    }
    writer_->write(streams);
  }

  void take(std::vector<Buffer<std::uint64_t>>& s, const Layout& sizes) {
    switch (sizes.num_masks) {
      case 0:
        source_.masks({});
        break;
      case 1:
        source_.masks({s[0].span()});
        break;
      case 2:
        source_.masks({s[0].span(), s[1].span()});
        break;
      default:
        source_.masks({s[0].span(), s[1].span(), s[2].span()});
    }
    const std::size_t p = sizes.num_masks;
    switch (sizes.num_products) {
      case 0:
        break;
      case 1:
        source_.products({s[p].span()});
        break;
      case 2:
        source_.products({s[p].span(), s[p + 1].span()});
        break;
      default:
        source_.products({s[p].span(), s[p + 1].span(), s[p + 2].span()});
    }
  }

  Store& store_;
  Source& source_;
  const Id& lot_;
  std::optional<LotWriter> writer_;
};

std::vector<std::byte> encode(const Offer& offer) {
  ByteWriter out;
  out.put_raw(offer.store);
  out.put(offer.generation), out.put(offer.sessions);
  out.put_raw(offer.last), out.put(static_cast<std::uint32_t>(offer.ended));
  out.put(static_cast<std::uint64_t>(offer.lots.size()));
  return out.bytes();
}

Id get_id(ByteReader& in) {
  Id id;
  const ConstBytes raw = in.take(id.size());
  std::copy(raw.begin(), raw.end(), id.begin());
  return id;
}

// Both have it on their disks: a lot that is whole, or a session.
void confirm(net::Channel& peer, const net::Step& step, const Id& id, const char* otherwise) {
  peer.send_message(step, id);
  const std::vector<std::byte> theirs = peer.recv_message(step);
  check(theirs.size() == id.size() && std::equal(id.begin(), id.end(), theirs.begin()), Code::frame,
        otherwise);
}

}  // namespace

void settle_stores(Store& store, net::Channel& peer, const net::Step& step, const Id& fresh) {
  const Offer mine = store.offer();
  peer.send_message(step, encode(mine));
  const std::vector<std::byte> message = peer.recv_message(step);
  ByteReader in(message);
  Offer theirs;
  theirs.store = get_id(in);
  theirs.generation = in.get<std::uint64_t>(), theirs.sessions = in.get<std::uint64_t>();
  theirs.last = get_id(in), theirs.ended = in.get<std::uint32_t>() != 0;
  const auto count = in.get<std::uint64_t>();
  in.expect_end();
  check(count <= kOffersMax, Code::frame, "a peer offers more lots than a store has");
  ByteWriter entries;
  for (const auto& [lot, used] : mine.lots)
    entries.put_raw(lot), entries.put(used.position), entries.put(used.granted);
  std::vector<std::byte> received(count * kEntryBytes);
  peer.exchange(step, entries.bytes(), received);
  ByteReader rest(received);
  for (std::uint64_t i = 0; i < count; ++i) {
    Used& used = theirs.lots[get_id(rest)];
    used.position = rest.get<std::uint64_t>(), used.granted = rest.get<std::uint64_t>();
  }
  store.settle(theirs, fresh);
  confirm(peer, step, fresh, "the peer has settled another session than this party");
}

void make_lot(Store& store, Source& source, const net::Step& step, const Order& order, const Id& id,
              const std::function<void()>& confirm) {
  const PoolKey pool = pool_of(order.request);
  const std::uint64_t cell = cell_units(pool);
  Making making(store, source, id);
  LotWriter& lot =
      making.run(step, pool, segment_units(order.request), cells_for(order.units, cell) * cell);
  if (confirm) confirm();
  store.add(lot);
}

void make_stock(Store& store, Source& source, net::Channel& peer, const net::Step& step,
                std::span<const Order> orders, const prg::Seed& seed, const Progress& progress) {
  std::map<PoolKey, std::uint64_t> targets;
  std::uint64_t all = 0, done = 0, number = 0;
  for (const Order& order : orders) {
    check(can_pool(order.request.kind), Code::usage,
          "masks of a matrix, and products with it, cannot be made ahead");
    const PoolKey pool = pool_of(order.request);
    check(targets.emplace(pool, order.units).second, Code::usage, "a pool is ordered twice");
    all += order.units - std::min(order.units, store.units_left(pool));
  }
  store.set_targets(targets);
  for (const Order& order : orders) {
    const std::uint64_t most = segment_units(order.request) * kLotSegmentsMax;
    const std::uint64_t have = store.units_left(pool_of(order.request));
    std::uint64_t missing = order.units - std::min(order.units, have);
    while (missing > 0) {
      const Id id = prg::derive(seed, {++number, 0, 0, 0, 0, 0});
      const std::uint64_t units = std::min(missing, most);
      make_lot(store, source, step, {order.request, units}, id, [&] {
        confirm(peer, step, id, "the peer has made another lot of stock than this party");
      });
      missing -= units;
      done += units;
      if (progress) progress(done, all);
    }
  }
}

}  // namespace petcore::correlation
