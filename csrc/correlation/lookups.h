// Lookups: a party's secret index into the other's secret table of 16 entries, one lookup a lane of
// packed bits, 64 lanes to a word.
//
// A random table and a random index, with the entry there as exclusive-or shares, turn into a
// wanted lookup once the index's owner tells the difference of the wanted index and the random one,
// and the table's owner the wanted entries, masked by the random ones in that order (Beaver,
// "Precomputing oblivious transfer", CRYPTO 1995; 1 of 16 as in Kolesnikov and Kumaresan, CRYPTO
// 2013).
#pragma once

#include "correlation/request.h"

namespace petcore::correlation {

constexpr std::size_t kEntries = 16, kIndexBits = 4;

// A unit is a word of lanes each way. masks: this party's table, entry v's bit w in row width v +
// w, then its index, lowest bit first. products: the rows of what party 1's index finds in party
// 0's table, then of what party 0's finds in party 1's.
Request lookup_request(std::uint64_t units, std::uint64_t chunk, unsigned width);
constexpr std::uint64_t table_rows(unsigned width) { return kEntries * width; }
void check_lookups(const Request& request);  // raises Code::frame

// pick_entries: out[w] is bit w of the entry at the index; no memory access depends on it.
void pick_entries(Words out, ConstWords table, ConstWords index, unsigned width);
// reorder_entries moves entry v ^ index to entry v.
void reorder_entries(Words table, ConstWords index, unsigned width);

// find_entries is the relation, in clear: both parties' masks, and what is dealt.
void find_entries(Words out, ConstWords masks0, ConstWords masks1, unsigned width);

}  // namespace petcore::correlation
