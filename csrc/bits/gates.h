// Gates: the local halves of boolean circuits on slices, each slice a packed vector of one bit of
// many elements. All slices of a call have `words` words and lie one after the other.
//
// "Public c less than shared r" is a tree of pairs (g, p) for groups of bits: g says that c is less
// there, p that it is equal, and (g, p) o (g', p') = (g ^ p g', p p').
//
// Groups. The dealer knows r, so it shares not only the bits of a group but their products too;
// with these every function of the group is linear, given c, and costs no opening. A group of k
// bits has 2^k - 1 dealt slices: number S - 1 is the product of the bits of r that are set in S.
//
// Nodes. A node folds `fan_in` pairs into one in a round. It opens p of all pairs but the lowest,
// then g of all but the highest, then p of the lowest, each list from the highest pair down, masked
// by a, b and q. For every product A of some a the dealer shares: A itself where it has two factors
// or more; b A for each b and the a above it, from the lowest b up; q A. (Beaver's trick; with more
// than two factors: Ohata and Nuida, "Communication-efficient (client-aided) secure two-party
// protocols and its application", FC 2020.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/buffer.h"

namespace petcore::bits {

// Parts of the result that somebody needs. `less` does without p of the lowest pair, `equal`
// without any g.
enum class Parts : std::uint8_t { both, less, equal };
constexpr std::uint64_t kLastParts = static_cast<std::uint64_t>(Parts::equal);

constexpr unsigned kGroupMax = 4, kFanInMax = 4;

constexpr std::size_t group_slices(std::size_t num_bits) {
  return (std::size_t{1} << num_bits) - 1;
}
constexpr std::size_t opened_slices(std::size_t fan_in, Parts parts) {
  if (fan_in == 1) return 0;
  return parts == Parts::equal ? fan_in : 2 * fan_in - (parts == Parts::less ? 2 : 1);
}
constexpr std::size_t dealt_slices(std::size_t fan_in, Parts parts) {
  if (fan_in == 1) return 0;
  const std::size_t half = std::size_t{1} << (fan_in - 1);
  const std::size_t of_a = half - fan_in, of_b = 2 * half - fan_in - 1, of_q = half - 1;
  return of_a + (parts == Parts::equal ? 0 : of_b) + (parts == Parts::less ? 0 : of_q);
}

// deal_group turns the bits of r into what is dealt of them, in clear.
void deal_group(Words dealt, ConstWords r, std::size_t words, std::string_view target = "");
// compare_group gives this party's g (but for Parts::equal) and p. `first` marks the party that
// adds what is public.
void compare_group(Words g, Words p, ConstWords c, ConstWords dealt, std::size_t words, bool first,
                   Parts parts, std::string_view target = "");

struct Node {
  unsigned fan_in;
  Parts parts;
};

// deal_node turns a node's masks into what is dealt of them, in clear.
void deal_node(Node node, Words dealt, ConstWords masks, std::size_t words,
               std::string_view target = "");
// mask_node adds what a node opens to the masks in `own`. g and p hold its pairs, the lowest first.
void mask_node(Node node, Words own, ConstWords g, ConstWords p, std::size_t words,
               std::string_view target = "");
// close_node computes the node from both parties' openings; g_out and p_out may be one slice of g
// and p. g is empty for Parts::equal, p_out unused for Parts::less.
void close_node(Node node, Words g_out, Words p_out, ConstWords g, ConstWords p, ConstWords own,
                ConstWords theirs, ConstWords dealt, std::size_t words,
                std::string_view target = "");

// out = x ^ y and out = x & y; out may be x or y.
void exclusive_or(Words out, ConstWords x, ConstWords y, std::string_view target = "");
void conjunction(Words out, ConstWords x, ConstWords y, std::string_view target = "");

}  // namespace petcore::bits
