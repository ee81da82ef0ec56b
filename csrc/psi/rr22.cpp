#include "psi/rr22.h"

#include <vector>

#include "base/error.h"
#include "bits/bits.h"
#include "psi/fingerprints.h"

namespace petcore::psi {
namespace {

// The answer: bit i says whether the sender's i-th fingerprint is in both sets.
void send_answer(const Link& link, std::span<const Match> found, std::size_t num_theirs) {
  Buffer<std::uint64_t> bits(petcore::bits::num_words(num_theirs));
  std::fill(bits.begin(), bits.end(), 0);
  for (const Match& match : found) bits[match.theirs / 64] |= std::uint64_t{1} << match.theirs % 64;
  link.channel.send(link.step, std::as_bytes(std::span<const std::uint64_t>(bits.span())));
}

Buffer<std::uint64_t> receive_answer(const Link& link, std::span<const std::uint32_t> index) {
  Buffer<std::uint64_t> bits(petcore::bits::num_words(index.size()));
  link.channel.recv(link.step, std::as_writable_bytes(bits.span()));
  std::vector<std::uint64_t> found;
  for (std::size_t i = 0; i < index.size(); ++i)
    if ((bits[i / 64] >> i % 64 & 1) != 0) found.push_back(index[i]);
  Buffer<std::uint64_t> out(found.size());
  std::copy(found.begin(), found.end(), out.begin());
  return out;
}

}  // namespace

Buffer<std::uint64_t> rr22_receive(const Link& link, ot::VoleReceiver& vole,
                                   std::span<const Block> keys, const Sizes& sizes, bool answer) {
  const PrintShape shape = print_shape(sizes.theirs, sizes.own, sizes.runs);
  const Evaluated evaluated = oprf_receive(link, vole, keys);
  const Prints own = arrange(shape, evaluated.values.span(), evaluated.order.span());
  Buffer<std::byte> wire(shape.wire_bytes(sizes.theirs));
  link.channel.recv(link.step, wire.span());
  const Prints theirs = read(shape, wire.span(), sizes.theirs);
  const std::vector<Match> found = matches(shape, own, theirs);
  if (answer) send_answer(link, found, sizes.theirs);
  Buffer<std::uint64_t> out(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) out[i] = own.index[found[i].own];
  return out;
}

std::optional<Buffer<std::uint64_t>> rr22_send(const Link& link, ot::VoleSender& vole,
                                               std::span<const Block> keys, const Sizes& sizes,
                                               bool answer) {
  const PrintShape shape = print_shape(sizes.own, sizes.theirs, sizes.runs);
  const Evaluated evaluated = oprf_send(link, vole, sizes.theirs, keys);
  const Prints own = arrange(shape, evaluated.values.span(), evaluated.order.span());
  link.channel.send(link.step, write(shape, own).span());
  if (!answer) return std::nullopt;
  return receive_answer(link, own.index.span());
}

}  // namespace petcore::psi
