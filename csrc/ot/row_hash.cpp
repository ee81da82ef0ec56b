#include "ot/row_hash.h"

#include "ring/gf128.h"

namespace petcore::ot {

RowHash::RowHash(Block x, std::size_t num_blocks) : powers_(num_blocks) {
  Block power{1, 0};
  for (std::size_t b = 0; b + 1 < num_blocks; ++b) powers_[b] = power = ring::multiply(power, x);
  powers_[num_blocks - 1] = {1, 0};
}

Block RowHash::operator()(std::span<const Block> row) const {
  return ring::inner_product(row, powers_.span());
}

}  // namespace petcore::ot
