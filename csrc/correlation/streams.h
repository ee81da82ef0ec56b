// Streams: the words that one party's seed stands for, one PRG per stream of a request.
#pragma once

#include <cstdint>
#include <vector>

#include "base/pool.h"
#include "correlation/request.h"
#include "prg/prg.h"

namespace petcore::correlation {

class Streams {
 public:
  // Kind, counter, stream number and every size are bound into each stream's seed, so that two
  // different requests never share a word.
  Streams(const prg::Seed& seed, const Request& request);

  // mask and product fill stream `index` of one chunk.
  void mask(std::size_t index, std::uint64_t chunk, Words out, Pool& pool) const;
  void product(std::size_t index, std::uint64_t chunk, Words out, Pool& pool) const;

 private:
  Layout full_;
  std::vector<prg::Prg> prgs_;  // masks first, then products
};

// mask_words fills words [first, first + out.size()) of the matrix that a mask request stands for.
void mask_words(const prg::Seed& seed, const Request& mask, std::uint64_t first, Words out,
                Pool& pool);

}  // namespace petcore::correlation
