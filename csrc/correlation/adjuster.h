// Adjuster: computes, from what both parties' streams stand for, the words that make their products
// right. The dealer sends them; who checks a dealer computes them again.
#pragma once

#include <array>
#include <span>

#include "base/pool.h"
#include "correlation/request.h"
#include "correlation/streams.h"
#include "prg/prg.h"

namespace petcore::correlation {

class Adjuster {
 public:
  explicit Adjuster(Pool& pool) : pool_(pool) {}

  // make returns the product streams of one chunk, less party 0's share of them: party 1's share.
  // What is dealt to both it returns as it is. The words stay until the next call. The seeds are
  // needed for a masked matrix only.
  std::span<const ConstWords> make(const Request& request, std::uint64_t chunk,
                                   const Streams (&streams)[2], const prg::Seed (&seeds)[2]);

 private:
  void sum_masks(const Request& request, std::uint64_t chunk, const Streams (&streams)[2],
                 const Layout& sizes);
  void subtract_share(const Request& request, std::uint64_t chunk, const Streams& streams,
                      std::size_t index);

  Pool& pool_;
  std::array<Buffer<std::uint64_t>, 3> masks_, products_;
  std::array<ConstWords, 3> made_;
  Buffer<std::uint64_t> share_;
};

}  // namespace petcore::correlation
