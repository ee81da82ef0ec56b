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

// The words of whole matrices are made by several threads; other chunks are too short for that.
void fill(const prg::Prg& prg, Words out, std::uint64_t first, Pool& pool) {
  constexpr std::size_t kWordsPerPart = std::size_t{1} << 19;
  if (out.size() < 2 * kWordsPerPart) return prg.fill_words(out, first);
  pool.parallel_for(out.size(), kWordsPerPart, [&](std::size_t begin, std::size_t end) {
    prg.fill_words(out.subspan(begin, end - begin), first + begin);
  });
}

}  // namespace

Streams::Streams(const prg::Seed& seed, const Request& request)
    : full_(layout(request, request.chunk)) {
  const std::size_t count = full_.num_masks + full_.num_products;
  prgs_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) prgs_.push_back(stream_prg(seed, request, i));
}

void Streams::mask(std::size_t index, std::uint64_t chunk, Words out, Pool& pool) const {
  fill(prgs_[index], out, chunk * full_.masks[index], pool);
}

void Streams::product(std::size_t index, std::uint64_t chunk, Words out, Pool& pool) const {
  fill(prgs_[full_.num_masks + index], out, chunk * full_.products[index], pool);
}

void mask_words(const prg::Seed& seed, const Request& mask, std::uint64_t first, Words out,
                Pool& pool) {
  fill(stream_prg(seed, mask, 0), out, first, pool);
}

}  // namespace petcore::correlation
