// What one target of the bit kernels provides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bits/flags.h"
#include "bits/gates.h"

namespace petcore::bits {

using Word = std::uint64_t;

// NodeWords: what close_node reads and writes.
struct NodeWords {
  Word *g_out, *p_out;
  const Word *g, *p, *own, *theirs, *dealt;
};

struct Kernels {
  void (*pack)(Word* out, const std::uint8_t* in, std::size_t num_bits);
  void (*unpack)(std::uint8_t* out, const Word* in, std::size_t num_bits);
  void (*transpose)(Word* out, const Word* in, std::size_t rows, std::size_t columns);
  void (*narrow)(Word* out, const Word* in, std::size_t size, std::size_t num_bytes);
  void (*widen_sum)(Word* out, const Word* x, const Word* y, std::size_t size,
                    std::size_t num_bytes);
  void (*exclusive_or)(Word* out, const Word* x, const Word* y, std::size_t size);
  void (*conjunction)(Word* out, const Word* x, const Word* y, std::size_t size);
  void (*deal_group)(Word* dealt, const Word* r, std::size_t words, std::size_t num_bits);
  void (*compare_group)(Word* g, Word* p, const Word* c, const Word* dealt, std::size_t words,
                        std::size_t num_bits, bool first);
  void (*deal_node)(Node node, Word* dealt, const Word* masks, std::size_t words);
  void (*mask_node)(Node node, Word* own, const Word* g, const Word* p, std::size_t words);
  void (*close_node)(Node node, const NodeWords& at, std::size_t words);
  void (*expand)(Word* out, const Word* flags, std::size_t size);
  void (*keep)(Word* out, const Word* x, const Word* flags, std::size_t size);
  void (*expand_halves)(Word* out, const Word* flags, std::size_t size);
  void (*reflect)(Word* out, const Word* x, const Word* y, const Word* flags, std::size_t size);
  void (*turn_add)(Word* out, const Word* x, const Word* turn, const Word* plus, const Word* minus,
                   std::size_t size);
  void (*top_flags)(Word* out, const Word* x, std::size_t size, Word offset);
  void (*quotient)(Word* out, const Word* x, const Word* wrap, const Quotient& by,
                   std::size_t size);
};

// One pointer per target, null where the architecture is another one.
extern const Kernels* const kAvx512;
extern const Kernels* const kAvx2;
extern const Kernels* const kNeon;
extern const Kernels* const kPortable;

// choose gives the row that `target` forces, or the widest for "".
const Kernels& choose(std::string_view target);

}  // namespace petcore::bits
