#include "psi/okvs_bin.h"

#include <algorithm>

#include "ring/gf128.h"

namespace petcore::psi {
namespace {

constexpr std::size_t kAhead = 8;  // steps whose memory is asked for before its turn

// eliminate solves a x = b, a of n x n; false where a is singular. x is left in b.
bool eliminate(std::vector<Block>& a, std::vector<Block>& b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    while (pivot < n && a[pivot * n + i] == Block{}) ++pivot;
    if (pivot == n) return false;
    for (std::size_t j = 0; j < n; ++j) std::swap(a[pivot * n + j], a[i * n + j]);
    std::swap(b[pivot], b[i]);
    const Block by = ring::inverse(a[i * n + i]);
    for (std::size_t j = 0; j < n; ++j) a[i * n + j] = ring::multiply(a[i * n + j], by);
    b[i] = ring::multiply(b[i], by);
    for (std::size_t row = 0; row < n; ++row) {
      if (row == i) continue;
      const Block times = a[row * n + i];
      for (std::size_t j = 0; j < n; ++j) a[row * n + j] ^= ring::multiply(times, a[i * n + j]);
      b[row] ^= ring::multiply(times, b[i]);
    }
  }
  return true;
}

Buffer<Block> copy_of(std::span<const Block> x) {
  Buffer<Block> out(x.size());
  std::copy(x.begin(), x.end(), out.begin());
  return out;
}

}  // namespace

BinSolver::BinSolver(const OkvsShape& shape)
    : shape_(shape),
      at_(shape.bin_keys),
      columns_(shape.sparse),
      left_(shape.bin_keys),
      steps_(shape.bin_keys),
      single_(shape.sparse) {}

bool BinSolver::solve(std::span<Block> table, std::span<const Block> hashes,
                      std::span<const Block> keys, std::span<const Block> values) {
  place(hashes);
  if (!peel()) return false;
  if (!gap_.empty()) return solve_gap(table, keys, values);
  Buffer<Block> rest = copy_of(values);
  ring::add_polynomial(rest.span(), keys, table.subspan(shape_.sparse));
  substitute(table, rest.span());
  return true;
}

void BinSolver::place(std::span<const Block> hashes) {
  num_rows_ = hashes.size();
  std::fill(columns_.begin(), columns_.end(), Column{0, 0});
  for (std::size_t row = 0; row < num_rows_; ++row) {
    at_[row] = columns_of(hashes[row], shape_.sparse);
    left_[row] = 1;
    for (const std::uint16_t c : at_[row]) {
      ++columns_[c].count;
      columns_[c].rows ^= static_cast<std::uint16_t>(row);
    }
  }
}

// peel takes rows that have a column to themselves, as long as there are any; then it moves one of
// the others into the gap. False if the gap outgrows the dense columns.
bool BinSolver::peel() {
  num_steps_ = num_single_ = 0;
  gap_.clear();
  for (std::size_t c = 0; c < shape_.sparse; ++c)
    if (columns_[c].count == 1) single_[num_single_++] = static_cast<std::uint16_t>(c);
  for (std::size_t row = 0;; ++row) {
    while (num_single_ > 0) {
      const std::uint16_t c = single_[--num_single_];
      if (columns_[c].count != 1) continue;
      const std::uint16_t taken = columns_[c].rows;
      steps_[num_steps_++] = {taken, c};
      take(taken);
    }
    row = next_left(row);
    if (row == num_rows_) return true;
    if (gap_.size() == shape_.dense) return false;
    gap_.push_back(static_cast<std::uint16_t>(row));
    take(row);
  }
}

void BinSolver::take(std::size_t row) {
  left_[row] = 0;
  for (const std::uint16_t c : at_[row]) {
    columns_[c].rows ^= static_cast<std::uint16_t>(row);
    if (--columns_[c].count == 1) single_[num_single_++] = c;
  }
}

std::size_t BinSolver::next_left(std::size_t from) const {
  while (from < num_rows_ && left_[from] == 0) ++from;
  return from;
}

// substitute goes backwards: the column of a step stands in no row that was taken later.
void BinSolver::substitute(std::span<Block> table, std::span<const Block> values) const {
  for (std::size_t i = num_steps_; i-- > 0;) {
    if (i >= kAhead) {
      const std::size_t soon = steps_[i - kAhead].row;
      __builtin_prefetch(&values[soon]);
      __builtin_prefetch(&at_[soon]);
    }
    const auto [row, column] = steps_[i];
    table[column] = Block{};
    table[column] = values[row] ^ sum_of(row, table);
  }
}

Block BinSolver::sum_of(std::size_t row, std::span<const Block> table) const {
  return table[at_[row][0]] ^ table[at_[row][1]] ^ table[at_[row][2]];
}

// The sparse columns are affine in the dense ones D: what they are for D = 0 (but for those D that
// the gap does not need), and once more for each D_j = 1. The gap's rows then are equations in D.
bool BinSolver::solve_gap(std::span<Block> table, std::span<const Block> keys,
                          std::span<const Block> values) {
  const std::size_t n = gap_.size();
  const std::span<Block> sparse = table.first(shape_.sparse), dense = table.subspan(shape_.sparse);
  std::fill(dense.begin(), dense.begin() + static_cast<std::ptrdiff_t>(n), Block{});
  Buffer<Block> rest = copy_of(values);
  ring::add_polynomial(rest.span(), keys, dense);
  substitute(sparse, rest.span());
  std::vector<Block> equations(n * n), right(n);
  for (std::size_t i = 0; i < n; ++i) right[i] = rest[gap_[i]] ^ sum_of(gap_[i], sparse);
  Buffer<Block> slopes(n * shape_.sparse), power(num_rows_);
  std::fill(slopes.begin(), slopes.end(), Block{});
  for (std::size_t j = 0; j < n; ++j) {
    std::vector<Block> unit(j + 1);
    unit[j] = {1, 0};
    std::fill(power.begin(), power.end(), Block{});
    ring::add_polynomial(power.span(), keys, unit);
    const std::span<Block> slope = slopes.span().subspan(j * shape_.sparse, shape_.sparse);
    substitute(slope, power.span());
    for (std::size_t i = 0; i < n; ++i)
      equations[i * n + j] = power[gap_[i]] ^ sum_of(gap_[i], slope);
  }
  if (!eliminate(equations, right)) return false;
  std::copy(right.begin(), right.end(), dense.begin());
  for (std::size_t j = 0; j < n; ++j)
    ring::add_scaled(sparse, slopes.span().subspan(j * shape_.sparse, shape_.sparse), right[j]);
  return true;
}

}  // namespace petcore::psi
