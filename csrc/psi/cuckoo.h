// Cuckoo hashing with three functions: every id in one of its three bins, one id to a bin.
//
// Pagh, Rodler, "Cuckoo hashing", J. Algorithms 2004; Fotakis, Pagh, Sanders, Spirakis, "Space
// efficient hash tables with worst case constant access time", 2005. Which bins an id may have is
// public to who knows seed and id; which one it has depends on all ids of the table.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/block.h"
#include "base/buffer.h"
#include "prg/prg.h"

namespace petcore::psi {

constexpr std::size_t kChoices = 3;
using Choices = std::array<std::uint64_t, kChoices>;  // different bins

// choose_bins gives the bins of every digest; at least three bins (Code::usage).
Buffer<Choices> choose_bins(std::span<const Block> digests, const prg::Seed& seed,
                            std::size_t bins);

// cuckoo_table gives which digest is in each bin, all ones for none. Raises Code::internal where no
// table is found, which is rare if there are 1.27 bins for each digest (psi/circuit.h).
Buffer<std::uint64_t> cuckoo_table(std::span<const Block> digests, const prg::Seed& seed,
                                   std::size_t bins);

}  // namespace petcore::psi
