// A shelf: a lot of a store that is open, and how far it is used up.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "correlation/store.h"

namespace petcore::correlation {

struct Store::Shelf {
  Lot lot;
  std::uint64_t position = 0, granted = 0;  // cells: taken, and set aside on the disk
  std::uint64_t taken = 0;                  // cells, since the last commit
  std::uint64_t erased = 0;                 // segments
  bool verified = false, gone = false;
  std::deque<std::pair<std::uint64_t, std::shared_ptr<const Segment>>> open;

  const LotHeader& header() const { return lot.header(); }
  std::uint64_t cells() const { return header().num_cells(); }
  std::uint64_t per_cell() const { return cell_units(header().pool); }
  std::uint64_t left() const { return gone ? 0 : cells() - std::min(position, cells()); }
  // segment_at is the first segment of which anything is left.
  std::uint64_t segment_at() const {
    if (position >= cells()) return header().num_segments();
    return position * per_cell() / header().segment_units;
  }
};

// low_mark is the number of units below which a pool is low.
inline std::uint64_t low_mark(std::uint64_t target, double low) {
  const auto mark = static_cast<std::uint64_t>(low * static_cast<double>(target));
  return target > 0 ? std::max<std::uint64_t>(mark, 1) : 0;
}

// thousands writes a number as people read it.
std::string thousands(std::uint64_t n);

}  // namespace petcore::correlation
