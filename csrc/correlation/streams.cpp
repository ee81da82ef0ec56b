#include "correlation/streams.h"

#include <algorithm>

namespace petcore::correlation {
namespace {

std::uint64_t shape_word(const Request& request) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint64_t d : request.dims) hash = (hash ^ d) * 0x100000001b3u;
  return hash;
}

prg::Prg stream_prg(const prg::Seed& seed, const Request& request, std::uint64_t stream) {
  const auto kind = static_cast<std::uint64_t>(request.kind);
  return prg::Prg(prg::derive(
      seed, {kind, request.counter, stream, request.units, request.chunk, shape_word(request)}));
}

}  // namespace

Streams::Streams(const prg::Seed& seed, const Request& request)
    : full_(layout(request, request.chunk)) {
  const std::size_t count = full_.num_masks + full_.num_products;
  prgs_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) prgs_.push_back(stream_prg(seed, request, i));
}

void Streams::mask(std::size_t index, std::uint64_t chunk, Words out) const {
  prgs_[index].fill_words(out, chunk * full_.masks[index]);
}

void Streams::product(std::size_t index, std::uint64_t chunk, Words out) const {
  prgs_[full_.num_masks + index].fill_words(out, chunk * full_.products[index]);
}

void mask_words(const prg::Seed& seed, const Request& mask, std::uint64_t first, Words out) {
  stream_prg(seed, mask, 0).fill_words(out, first);
}

}  // namespace petcore::correlation
