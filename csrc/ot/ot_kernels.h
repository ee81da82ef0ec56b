// What one target of the kernels of oblivious transfer provides. Pointers are aligned as their
// types are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/block.h"
#include "ot/gilboa.h"

namespace petcore::ot {

using Word = std::uint64_t;

struct Kernels {
  // turn writes the first n columns of 128 rows as blocks; rows lie `stride` words apart, an even
  // number, and have at least n bits rounded up to 128.
  void (*turn)(Block* out, const Word* rows, std::size_t stride, std::size_t n);
  // add_masked: to ^= x & mask.
  void (*add_masked)(Word* to, const Word* x, Word mask, std::size_t num_words);
  // shifted: out = x ^ offset. words: out_i is the low or the high word of x_i.
  void (*shifted)(Block* out, const Block* x, Block offset, std::size_t n);
  void (*low_words)(Word* out, const Block* x, std::size_t n);
  void (*high_words)(Word* out, const Block* x, std::size_t n);
  // The rest as gilboa.h says.
  void (*send_words)(const Column& column, Word* share, const Word* w, const Word* x, const Word* y,
                     Wire wire);
  void (*take_words)(const Column& column, Word* share, const Word* c, const Word* pads,
                     ConstWire wire);
};

// One pointer per target, null where the architecture is another one.
extern const Kernels* const kAvx512;
extern const Kernels* const kAvx2;
extern const Kernels* const kPortable;

// choose gives the row that `target` forces, or the widest for "".
const Kernels& choose(std::string_view target = "");

std::vector<std::string_view> targets();

}  // namespace petcore::ot
