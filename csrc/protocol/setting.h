// Setting: what a protocol knows of its session before it plans anything.
#pragma once

namespace petcore::protocol {

struct Setting {
  // A dealer makes the correlations, who deals any function of masks at the price of its result;
  // otherwise the parties do, by oblivious transfer, where every product has its price.
  bool dealt = true;
  unsigned transfer_bits = 32;  // that travel for each oblivious transfer of theirs
};

}  // namespace petcore::protocol
