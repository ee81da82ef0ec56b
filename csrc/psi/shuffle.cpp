#include "psi/shuffle.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "prg/prg.h"

namespace petcore::psi {

// Fisher and Yates' shuffle (Knuth, TAOCP 2, section 3.4.2, algorithm P). A number below n is the
// upper half of a random 64-bit word times n; a draw is off from uniform by less than n / 2^64.
Order random_order(std::size_t n) {
  check(n < (std::uint64_t{1} << 32), Code::usage, "an order has fewer than 2^32 places");
  constexpr std::size_t kDraws = 4096;
  Order order(n);
  std::iota(order.begin(), order.end(), 0u);
  const prg::Prg stream(prg::random_seed());
  Buffer<std::uint64_t> drawn(std::min(n, kDraws));
  for (std::size_t done = 0; done + 1 < n; ++done) {
    if (done % kDraws == 0) stream.fill_words(drawn.span(), done);
    const std::uint64_t places = n - done;
    __extension__ using uint128 = unsigned __int128;
    const auto wide = static_cast<uint128>(drawn[done % kDraws]) * places;
    std::swap(order[places - 1], order[static_cast<std::size_t>(wide >> 64)]);
  }
  return order;
}

}  // namespace petcore::psi
