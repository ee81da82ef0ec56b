// Making stock: two parties fill their stores together, from a source of correlations; and how they
// compare their stores before they take from them.
#pragma once

#include <functional>
#include <span>

#include "correlation/source.h"
#include "correlation/store.h"
#include "net/channel.h"

namespace petcore::correlation {

// Order: units to have in stock of what the request asks for. Its chunk bounds a segment.
struct Order {
  Request request;
  std::uint64_t units;
};

// Progress is told after every lot; units are summed over all orders.
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

// settle_stores lets both parties compare and burn (Store::settle), and returns once both have.
// fresh is known to both and never the same again.
void settle_stores(Store& store, net::Channel& peer, const net::Step& step, const Id& fresh);

// make_lot makes one lot, of order.units in whole cells, and adds it. Both parties do the same;
// what only one of them has in the end, the next settle removes. confirm is called when the lot is
// whole on this party's disk.
void make_lot(Store& store, Source& source, const net::Step& step, const Order& order, const Id& id,
              const std::function<void()>& confirm = {});

// make_stock fills every pool up to its order. Both parties pass the same orders, after they have
// settled. A lot counts once both have it whole on their disks; after a crash in between the next
// settle removes it. `seed` is known to both, and used for nothing else.
void make_stock(Store& store, Source& source, net::Channel& peer, const net::Step& step,
                std::span<const Order> orders, const prg::Seed& seed, const Progress& progress);

}  // namespace petcore::correlation
