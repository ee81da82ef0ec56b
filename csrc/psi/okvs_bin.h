// One bin of an oblivious key-value store: where a key's columns are, and how a bin is encoded.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "psi/okvs.h"

namespace petcore::psi {

constexpr std::size_t kWeight = 3, kSparseMax = 65535;

using Columns = std::array<std::uint16_t, kWeight>;

// below maps a random word to [0, n) (Lemire's product; the bias is at most n / 2^32).
inline std::uint32_t below(std::uint32_t word, std::size_t n) {
  return static_cast<std::uint32_t>(std::uint64_t{word} * n >> 32);
}

// columns_of gives three distinct columns, every set of them equally likely: each of the later two
// is drawn from one fewer and steps over those before it. The hash's lowest word chose the bin.
inline Columns columns_of(const Block& hash, std::size_t sparse) {
  const std::uint32_t a = below(static_cast<std::uint32_t>(hash.low >> 32), sparse);
  std::uint32_t b = below(static_cast<std::uint32_t>(hash.high), sparse - 1);
  b += b >= a;
  const std::uint32_t low = a < b ? a : b, high = a < b ? b : a;
  std::uint32_t c = below(static_cast<std::uint32_t>(hash.high >> 32), sparse - 2);
  c += c >= low;
  c += c >= high;
  return {static_cast<std::uint16_t>(a), static_cast<std::uint16_t>(b),
          static_cast<std::uint16_t>(c)};
}

// BinSolver encodes one bin after the other; its memory is reused, and wiped in the end.
class BinSolver {
 public:
  explicit BinSolver(const OkvsShape& shape);

  // solve overwrites the columns that rows need; what the table held in the others stays.
  bool solve(std::span<Block> table, std::span<const Block> hashes, std::span<const Block> keys,
             std::span<const Block> values);

 private:
  // Column: how many rows that are left have it, and the exclusive or of their numbers.
  struct Column {
    std::uint16_t count, rows;
  };
  struct Step {
    std::uint16_t row, column;
  };

  void place(std::span<const Block> hashes);
  bool peel();
  void take(std::size_t row);
  std::size_t next_left(std::size_t from) const;
  void substitute(std::span<Block> table, std::span<const Block> values) const;
  Block sum_of(std::size_t row, std::span<const Block> table) const;
  bool solve_gap(std::span<Block> table, std::span<const Block> keys,
                 std::span<const Block> values);

  OkvsShape shape_;
  Buffer<Columns> at_;  // by row
  Buffer<Column> columns_;
  Buffer<std::uint8_t> left_;  // by row: not yet taken
  Buffer<Step> steps_;
  Buffer<std::uint16_t> single_;  // columns that one row has to itself
  std::size_t num_rows_ = 0, num_steps_ = 0, num_single_ = 0;
  std::vector<std::uint16_t> gap_;
};

}  // namespace petcore::psi
