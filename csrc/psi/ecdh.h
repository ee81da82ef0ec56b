// Private set intersection by Diffie-Hellman: few bytes, much arithmetic, little to audit.
//
//   party A, set X, secret a                     party B, set Y, secret b
//   a H(x) for x in X, shuffled      ------>     b (a H(x))
//   a (b H(y))                       <------     b H(y) for y in Y, shuffled
//   their ends, in the order in which they came, to whoever is to learn the intersection:
//   x is common where the end of b a H(x) is among the ends of a b H(y)
//
// Meadows, "A more efficient cryptographic matchmaking protocol", IEEE S&P 1986; Huberman,
// Franklin, Hogg, "Enhancing privacy and trust in electronic communities", EC 1999; the ends alone
// are sent back as in Ion et al., "On deploying secure computation", EuroS&P 2020, section 3.
// For the cardinality alone the ends are shuffled once more before they go back.
//
// Functionality: who is to learn gets the positions of its own common items, or only their number.
// Assumption: decisional Diffie-Hellman in P-256 (group/p256.h), H a random oracle into it.
// Adversary: semi-honest. Secrets and orders are fresh in every call.
// Rounds: 3 (sizes; points; ends). Bytes: a party sends 33 per own item, and, where the other is to
// learn, tag_bytes per item of the other: 40 bits and the bits of both sizes.
// Uses: two multiples per own item, one of them inside H in part, one per item of the other.
// Wrong: an item that is not common passes for common with probability 2^-40 over all items.
// Leaks: the sizes of both sets to both. The cardinality, besides the positions, to nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/buffer.h"
#include "base/pool.h"
#include "net/channel.h"

namespace petcore::psi {

constexpr std::uint64_t kEcdhItemsMax = std::uint64_t{1} << 28;  // in either set

enum class Answer : std::uint8_t { positions = 0, cardinality = 1 };

struct EcdhRequest {
  Answer answer = Answer::positions;
  bool mine = true, theirs = true;  // who is to learn it; the other end says the mirror image
};

struct EcdhItems {
  std::size_t size = 0;
  std::function<ConstBytes(std::size_t)> item;  // distinct bytes for each index; any thread asks
};

struct EcdhResult {
  std::uint64_t size_of_other = 0;
  std::uint64_t cardinality = 0;    // zero where this party is not to learn
  Buffer<std::uint64_t> positions;  // common items in an order that both parties share
};

// Progress is told how many of all items, own and the other's, have been worked on.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// tag_bytes is how much of a point tells it apart from all others in sets of these sizes.
std::size_t tag_bytes(std::uint64_t size, std::uint64_t size_of_other);

// intersect_ecdh runs one end. Another size limit, other points than of P-256: Code::frame; other
// wishes than this end's: Code::step.
EcdhResult intersect_ecdh(net::Channel& link, const net::Step& step, Pool& pool,
                          const EcdhItems& items, const EcdhRequest& request,
                          const Progress& progress = {});

}  // namespace petcore::psi
