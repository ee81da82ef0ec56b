// Comparisons with dealt digit tables: for a public c and a mask r of which the digits are
// tabulated, c - r is compared with public thresholds, where the leaves of the circuit are whole
// digits and cost no opening.
#pragma once

#include <span>

#include "correlation/tables.h"
#include "protocol/semi2k/plans.h"

namespace petcore::protocol::semi2k {

// look_up picks for every element and every digit of c, from the table of r: whether the digit of
// r is above that of c, and whether it is equal. c has digits.width() slices; g and p have one
// slice for each digit. Local.
void look_up(int party, Words g, Words p, ConstWords c, ConstWords table,
             const correlation::Digits& digits);

// Signs tells of x - t_k for every threshold k whether it is negative, where c = x + r is public.
class Signs {
 public:
  Signs(std::size_t n, const correlation::Digits& digits, std::size_t num_thresholds);

  // add takes a chunk of public sums, which are divided by 2^digits.low first: so x - t_k may be
  // judged as if it were larger by less than 2^digits.low. table is the chunk's digit table.
  void add(int party, std::size_t chunk, ConstWords c, std::span<const std::uint64_t> thresholds,
           ConstWords table);
  // run costs a round for each layer of its plan.
  void run(Env& env);
  // negative gives the packed shares for threshold k.
  void negative(Words out, std::size_t k);

  static void plan(Plan& plan, std::size_t n, const correlation::Digits& digits,
                   std::size_t num_thresholds);

 private:
  correlation::Digits digits_;
  Tree tree_;  // a tree for each threshold, whose groups are the digits
  Pairs pairs_;
  Slices top_;
  Buffer<std::uint64_t> shifted_, c_rows_;
};

}  // namespace petcore::protocol::semi2k
