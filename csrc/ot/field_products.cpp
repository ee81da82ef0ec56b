#include "ot/field_products.h"

#include <algorithm>

#include "base/buffer.h"
#include "prg/prg.h"

namespace petcore::ot {
namespace {

// Elements whose transfers are in memory at a time.
constexpr std::size_t kAtOnce = 1024;

// times_x multiplies by x, in the field of ring/gf128.h.
Block times_x(Block a) {
  const std::uint64_t carry = a.high >> 63;
  return {(a.low << 1) ^ (0x87 & (~carry + 1)), (a.high << 1) | (a.low >> 63)};
}

// weigh gives sum_j x^j parts[j] by Horner's rule.
Block weigh(const Block* parts) {
  Block sum = parts[kFieldBits - 1];
  for (std::size_t j = kFieldBits - 1; j-- > 0;) sum = times_x(sum) ^ parts[j];
  return sum;
}

}  // namespace

void multiply_as_sender(const net::Step& step, CotSender& cot, std::span<Block> b) {
  Buffer<Block> q(std::min(b.size(), kAtOnce) * kFieldBits);
  for (std::size_t done = 0; done < b.size(); done += kAtOnce) {
    const std::size_t n = std::min(b.size() - done, kAtOnce);
    cot.extend(step, q.span().first(n * kFieldBits));
    for (std::size_t i = 0; i < n; ++i) b[done + i] = weigh(q.data() + i * kFieldBits);
  }
}

void multiply_as_receiver(const net::Step& step, CotReceiver& cot, std::span<Block> a,
                          std::span<Block> c) {
  prg::random_bytes(std::as_writable_bytes(a));
  Buffer<Block> t(std::min(a.size(), kAtOnce) * kFieldBits);
  for (std::size_t done = 0; done < a.size(); done += kAtOnce) {
    const std::size_t n = std::min(a.size() - done, kAtOnce);
    const ConstWords choices(&a[done].low, 2 * n);
    cot.extend(step, choices, t.span().first(n * kFieldBits));
    for (std::size_t i = 0; i < n; ++i) c[done + i] = weigh(t.data() + i * kFieldBits);
  }
}

}  // namespace petcore::ot
