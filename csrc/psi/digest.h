// Ids of any bytes become 128-bit digests under a key, with which all else of PSI works.
//
//   digest(id) = CBC-MAC-AES_k(length of id as 64 bits || id || zeros to whole blocks)
//
// CBC-MAC of messages none of which begins another, as the length in front makes them, is a
// pseudorandom function (Petrank, Rackoff, "CBC MAC for Real-Time Data Sources", J. Cryptology
// 2000). Ids that were chosen before the key was drawn collide with probability n^2 / 2^129; who
// knows the key can make collisions, so it is for ids of parties that follow the protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/block.h"
#include "base/buffer.h"
#include "base/pool.h"
#include "prg/prg.h"

namespace petcore::psi {

// Ids: all bytes one after the other; id i is the bytes from ends[i - 1] (or 0) to ends[i].
struct Ids {
  ConstBytes bytes;
  std::span<const std::uint64_t> ends;
};

// digest_ids fills one digest per id. Raises Code::usage where ends do not grow within the bytes.
void digest_ids(std::span<Block> out, const Ids& ids, const prg::Seed& key, Pool& pool);

// Repeat: id `again` equals id `first`, which stands before it.
struct Repeat {
  std::size_t first, again;
};

// find_repeat gives the repeat whose `again` is smallest. At most 2^32 - 1 digests (Code::usage).
std::optional<Repeat> find_repeat(std::span<const Block> digests);

// first_of_each gives, ascending, the indices of all digests that no equal one stands before.
Buffer<std::uint64_t> first_of_each(std::span<const Block> digests);

}  // namespace petcore::psi
