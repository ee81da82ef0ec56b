#include "ot/products.h"

#include "base/error.h"
#include "bits/bits.h"
#include "ot/products_state.h"

namespace petcore::ot {

std::size_t words_of(Ring ring, std::size_t n) {
  switch (ring) {
    case Ring::bits:
      return bits::num_words(n);
    case Ring::bytes:
      return (n + 7) / 8;
    case Ring::halves:
      return (n + 1) / 2;
    case Ring::words:
      return n;
  }
  throw Error(Code::usage, "unknown ring");
}

Products::Products(std::shared_ptr<net::Channel> channel, int party, const Options& options,
                   Pool& pool)
    : state_(new State{Flow(std::move(channel), party, options, pool)}) {}

Products::~Products() = default;

void Products::prepare(const net::Step& step) { state_->flow.prepare(step); }

}  // namespace petcore::ot
