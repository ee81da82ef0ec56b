// What one target of the bit kernels provides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace petcore::bits {

using Word = std::uint64_t;

struct Kernels {
  void (*pack)(Word* out, const std::uint8_t* in, std::size_t num_bits);
  void (*unpack)(std::uint8_t* out, const Word* in, std::size_t num_bits);
  void (*transpose)(Word* out, const Word* in, std::size_t rows, std::size_t columns);
  void (*narrow)(Word* out, const Word* in, std::size_t size, std::size_t num_bytes);
  void (*widen_sum)(Word* out, const Word* x, const Word* y, std::size_t size,
                    std::size_t num_bytes);
};

// One pointer per target, null where the architecture is another one.
extern const Kernels* const kAvx512;
extern const Kernels* const kAvx2;
extern const Kernels* const kNeon;
extern const Kernels* const kPortable;

// choose gives the row that `target` forces, or the widest for "".
const Kernels& choose(std::string_view target);

}  // namespace petcore::bits
