// Fingerprints: as much of pseudorandom values as it takes to tell them apart, in sorted order.
//
// A value's fingerprint is a drawer (some of its bits) and a rest (up to 64 others). Sorting hides
// in which order a party held its ids, and lets most of the drawer's bits unsaid: what travels is
// how many stand in each drawer, then the rests. Two sets of n and m different values share a
// fingerprint by chance with probability at most 2^-kFalseBits over `runs` comparisons.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/block.h"
#include "base/buffer.h"

namespace petcore::psi {

constexpr double kFalseBits = 40;

struct PrintShape {
  unsigned drawer_bits, rest_bytes;

  std::size_t num_drawers() const { return std::size_t{1} << drawer_bits; }
  // wire_bytes of n fingerprints: a byte for each drawer, then the rests.
  std::size_t wire_bytes(std::size_t n) const { return num_drawers() + n * rest_bytes; }
};

// print_shape is for num_sent fingerprints that are compared with num_kept others, `runs` times.
PrintShape print_shape(std::size_t num_sent, std::size_t num_kept, std::size_t runs);

// Prints: fingerprints sorted by drawer, then rest.
struct Prints {
  Buffer<std::uint32_t> ends;  // of the drawers
  Buffer<std::uint64_t> rests;
  Buffer<std::uint32_t> index;  // whose fingerprint it is; empty for a peer's
};

// arrange sorts the fingerprints of values[i], which belong to index order[i].
Prints arrange(const PrintShape& shape, std::span<const Block> values,
               std::span<const std::uint32_t> order);

// write and read are the form on the wire, wire_bytes long. read raises Code::frame where a peer's
// drawers do not hold n together.
Buffer<std::byte> write(const PrintShape& shape, const Prints& prints);
Prints read(const PrintShape& shape, ConstBytes wire, std::size_t n);

// Match: positions in two sorted lists.
struct Match {
  std::uint32_t own, theirs;
};
// matches gives all fingerprints in common, ascending in both lists.
std::vector<Match> matches(const PrintShape& shape, const Prints& own, const Prints& theirs);

}  // namespace petcore::psi
