// Setting: what a protocol knows of its session before it plans anything.
#pragma once

#include <cstdint>

namespace petcore::protocol {

struct Setting {
  // A dealer makes the correlations, who deals any function of masks at the price of its result;
  // otherwise the parties do, by oblivious transfer, where every product has its price.
  bool dealt = true;
  std::uint64_t block_bytes = 512;  // that travel for 128 oblivious transfers of theirs
};

}  // namespace petcore::protocol
