// Keys that compare a masked number: what fss/tree.h makes of a mask r = r0 + r1 and of two roots.
//
//   form    of z = x + r mod 2^width gives
//   sign    the top bit of x: top(z) ^ top(r) ^ [z < r without their top bits]
//   below   [z < r]: two of them tell whether x is in an interval
//   point   [z == r]: whether x is zero
//
// Both parties get the same words: the numbers of the keys and their corrections. The top bit of a
// number holds what the form adds to the result, under a mask of one bit from each root.
#pragma once

#include "base/pool.h"
#include "correlation/request.h"
#include "correlation/streams.h"
#include "fss/tree.h"

namespace petcore::correlation {

enum class KeyForm : std::uint8_t { sign, below, point };

// Keys are large: this many are made, sent and used at a time.
constexpr std::uint64_t kKeyChunk = 1 << 11;

// root_words is how many words the roots of n keys take.
constexpr std::uint64_t root_words(std::uint64_t n) { return fss::kBlockWords * n; }

Request key_request(std::uint64_t n, unsigned width, KeyForm form);
fss::Shape key_shape(const Request& request);

// check_keys raises Code::frame for a request out of bounds.
void check_keys(const Request& request);

// deal_keys makes the products of one chunk. What is random in it comes from the streams.
void deal_keys(const Request& request, std::uint64_t chunk, const Streams (&streams)[2],
               Words numbers, Words corrections, Pool& pool);

// read_keys gives this party's packed shares of what the keys say about z, one element each. Called
// again for the same keys it may be given other z, made of the same x + r and public numbers.
void read_keys(const Request& request, int party, Words out, ConstWords z, ConstWords roots,
               ConstWords numbers, ConstWords corrections);

}  // namespace petcore::correlation
