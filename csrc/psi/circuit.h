// Private set intersection in circuit form: who learns nothing gets shares to compute on.
//
//   receiver   ids X, in a cuckoo table of bins    -> for each bin a share of a tag, and of columns
//   sender     ids Y, each with a row of columns   -> the other shares
//
// In the bin of an x that is in Y the tags are shares of zero and the columns are shares of the
// row of x; elsewhere both are shares of random numbers. Whether a tag is zero is then found out on
// shares (circuit_tag_bits of it count), and the columns are multiplied by that.
//
// Pinkas, Schneider, Tkachenko, Yanai, "Efficient Circuit-Based PSI with Linear Communication",
// Eurocrypt 2019 (ePrint 2019/241): cuckoo hashing with three functions and no stash at the
// receiver, simple hashing at the sender, and an oblivious programmable PRF per bin, here by one
// OPRF over all bins (psi/oprf.h) and a key-value store (psi/okvs.h), as in Rindal, Raghuraman, CCS
// 2022, section 6: for each y and each of its bins b the sender stores F(y, b) ^ (t_b, row - r_b).
//
// Functionality: shares as above, and to the receiver which own id is in which bin.
// Assumptions, adversary: those of psi/oprf.h; semi-honest.
// Rounds: the OPRF's, then one. Bytes: the OPRF's for 1.27 |X| + 256 keys; from the sender 16 for
// each cell of a store of 3 |Y| keys (about 1.36 each), for the tag and the first column, and again
// for every two columns more.
// Wrong: a bin passes for common by chance with 2^-40 over all bins; no cuckoo table exists with
// 2^-40: the run fails then, and with it the session.
// Leaks: the sizes of both sets, to both.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "psi/oprf.h"

namespace petcore::psi {

constexpr std::size_t kCircuitIdsMax = std::size_t{1} << 24;  // of either party
constexpr std::size_t kColumnsMax = 64;
constexpr std::uint64_t kNoId = ~std::uint64_t{0};

// circuit_bins is the receiver's table for so many ids. The share of small sets that 256 bins more
// keeps away from the threshold makes four ids in the same three bins, the likeliest obstacle,
// rarer than 2^-45.
std::size_t circuit_bins(std::size_t num_receiver);
// circuit_tag_bits is how many of a tag's lowest bits are to be compared with zero.
unsigned circuit_tag_bits(std::size_t num_receiver);

struct CircuitShares {
  Buffer<std::uint64_t> tags;         // one per bin
  Buffer<std::uint64_t> columns;      // all bins of the first column, then of the next
  Buffer<std::uint64_t> ids_of_bins;  // the receiver's: which own id, or kNoId
};

// Keys are digests, distinct, at least one at each party (psi/digest.h). A column has one word per
// key of the sender; both name the same number of columns.
CircuitShares circuit_receive(const Link& link, ot::VoleReceiver& vole, std::span<const Block> keys,
                              std::size_t num_sender, std::size_t num_columns);
CircuitShares circuit_send(const Link& link, ot::VoleSender& vole, std::size_t num_receiver,
                           std::span<const Block> keys, std::span<const ConstWords> columns);

}  // namespace petcore::psi
