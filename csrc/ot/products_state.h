// Products' members, one file for each kind of product.
#pragma once

#include "ot/flow.h"
#include "ot/products.h"

namespace petcore::ot {

struct Products::State {
  Flow flow;
};

// later is the tweak of a later transfer.
inline hash::Tweak later(hash::Tweak first, std::size_t transfers) {
  first.low += transfers;
  return first;
}

// Part: the range of a vector that one direction handles.
struct Part {
  std::size_t begin, n;
};
// Parts: which indices a party's strings serve, and which its choices, where a product of two
// numbers takes one transfer only: the first half has party 0's strings.
struct Parts {
  Part sent, asked;
};
inline Parts parts_of(int party, std::size_t n, std::size_t step) {
  const std::size_t half = n / 2 / step * step;
  const Part low{0, half}, high{half, n - half};
  return party == 0 ? Parts{low, high} : Parts{high, low};
}

}  // namespace petcore::ot
