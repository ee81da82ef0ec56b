// Oblivious key-value store (OKVS): a table T of elements of GF(2^128) from which the value of
// every encoded key can be decoded, and any other key decodes to something. Decoding is linear in
// T.
//
//   decode(T, key) = T[p_0] ^ T[p_1] ^ T[p_2] ^ sum_j D_j key^(j+1)      T = sparse columns, then D
//
// The clustered garbled cuckoo table of Raghuraman, Rindal, "Blazing Fast PSI from Improved OKVS
// and Subfield VOLE", CCS 2022 (ePrint 2022/320), weight 3, dense columns over the field: keys are
// thrown into bins that fit the cache, and each bin is a table of its own. Encoding peels rows that
// have a column to themselves; rows that are left over (the gap) are solved by the dense columns.
//
// Parameters, for a chance of failure of at most 2^-40 together:
//   keys of a bin    a bound that fails with 2^-42 over all bins (Chernoff)
//   sparse columns   e n of n keys: e = 1.223 + (lambda + 9.2) / 2^(0.555 log2 n + 2.336), section
//                    4.1's line for weight 3 fitted to experiments, lambda = 42 + log2(bins)
//   dense columns    lambda / log2(e n) rounded up, the same section
// Bins of few keys are made as large as for kBinKeysMin, where the line still holds.
//
// Keys must be pseudorandom and distinct: digests under a key that was drawn after the ids were
// chosen (psi/digest.h). Row hashing is fixed-key AES on them.
// Leaks: the table's size tells the number of keys for which it was made. If unused columns are
// random (`filler`) and values are, it tells nothing about the keys; otherwise use it only masked.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/block.h"
#include "base/buffer.h"
#include "base/pool.h"
#include "prg/prg.h"

namespace petcore::psi {

constexpr std::size_t kOkvsKeysMax = std::size_t{1} << 26;
constexpr unsigned kAttemptsMax = 8;  // encodings, each with its own seed

struct OkvsShape {
  std::size_t num_bins = 0, bin_keys = 0 /* at most, in one bin */, sparse = 0, dense = 0;

  std::size_t bin_size() const { return sparse + dense; }
  std::size_t size() const { return num_bins * bin_size(); }
};

// okvs_shape is the table for num_keys keys: 1 to kOkvsKeysMax, else Code::usage.
OkvsShape okvs_shape(std::size_t num_keys);

// bin_bound is how many of n balls land in one of num_bins bins at most, but with 2^-bits.
std::size_t bin_bound(std::size_t n, std::size_t num_bins, double bits);

// Rows: keys arranged by the bins of one table, so that each bin is worked on in cache. Values and
// decoded blocks are in the order of rows; order()[row] is the index of the row's key.
class Rows {
 public:
  // The seed and the attempt choose the columns of every key; both ends use the same.
  Rows(const OkvsShape& shape, const prg::Seed& seed, unsigned attempt, std::span<const Block> keys,
       Pool& pool);

  std::size_t size() const { return order_.size(); }
  std::span<const std::uint32_t> order() const { return order_.span(); }
  std::span<const Block> keys() const { return keys_.span(); }

  // encode fills the table, or says that no table exists (Rows of the next attempt are needed);
  // the table then holds nothing of use. Unused columns come from `filler`, or are zero.
  [[nodiscard]] bool encode(std::span<Block> table, std::span<const Block> values, Pool& pool,
                            const std::optional<prg::Seed>& filler = {}) const;
  // decode fills one block per row.
  void decode(std::span<Block> out, std::span<const Block> table, Pool& pool) const;

 private:
  std::size_t begin_of(std::size_t bin) const { return bin == 0 ? 0 : ends_[bin - 1]; }

  OkvsShape shape_;
  Buffer<std::uint32_t> order_;
  Buffer<Block> keys_, hashes_;
  Buffer<std::size_t> ends_;  // of the bins, in rows
};

// Encoding: the rows in which the encoding succeeded, and at which attempt it did.
struct Encoding {
  Rows rows;
  unsigned attempt;
};

// RowValues fills one value per row, in their order.
using RowValues = std::function<void(std::span<Block> out, const Rows& rows)>;

// okvs_encode tries one attempt after the other and says which one succeeded: the other end must
// know. Raises Code::internal when kAttemptsMax failed, as equal keys make it.
Encoding okvs_encode(std::span<Block> table, const OkvsShape& shape, const prg::Seed& seed,
                     std::span<const Block> keys, const RowValues& values, Pool& pool,
                     const std::optional<prg::Seed>& filler = {});

}  // namespace petcore::psi
