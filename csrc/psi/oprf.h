// Oblivious pseudorandom function from a key-value store and VOLE: one party learns F at all its
// keys at once, the other can evaluate F anywhere.
//
//   receiver   keys x                      -> F(x)
//   sender     keys y (any, any number)    -> F(y)
//
// Raghuraman, Rindal, "Blazing Fast PSI from Improved OKVS and Subfield VOLE", CCS 2022 (ePrint
// 2022/320), figure 4, in its semi-honest form, after Rindal, Schoppmann, "VOLE-PSI", Eurocrypt
// 2021. The receiver encodes P with decode(P, x) = h(x). VOLE gives it A and C, the sender delta
// and B = C ^ A delta; it sends A' = P ^ A, and with K = B ^ A' delta = C ^ P delta both know
//
//   F(y) = H(decode(K, y) ^ h(y) delta),      F(x) = H(decode(C, x)).
//
// h and H are AES under keys of this run that both know (hash/mmo.h).
// Assumptions: those of the VOLE; AES as an ideal cipher. Adversary: semi-honest.
// Rounds: one, after the VOLE. Bytes: 1 + 16 m from the receiver, m = okvs_shape(number of
// x).size() (about 1.36 per key), and the VOLE's. Leaks: the number of the receiver's keys, to the
// sender.
#pragma once

#include <span>

#include "base/pool.h"
#include "net/channel.h"
#include "ot/vole.h"
#include "psi/okvs.h"

namespace petcore::psi {

// Link: where the parties meet, and a seed that both know and that was drawn for this run alone.
struct Link {
  net::Channel& channel;
  const net::Step& step;
  const prg::Seed& seed;
  Pool& pool;
};

// Evaluated: F by row; order[row] is the index of the row's key.
struct Evaluated {
  Buffer<Block> values;
  Buffer<std::uint32_t> order;
};

// Keys are pseudorandom and, at the receiver, distinct; both have at least one.
Evaluated oprf_receive(const Link& link, ot::VoleReceiver& vole, std::span<const Block> keys);
Evaluated oprf_send(const Link& link, ot::VoleSender& vole, std::size_t num_receiver_keys,
                    std::span<const Block> keys);

}  // namespace petcore::psi
