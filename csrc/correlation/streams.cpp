#include "correlation/streams.h"

#include <algorithm>

namespace petcore::correlation {
namespace {

std::uint64_t shape_word(const Request& request) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint64_t d : request.dims) hash = (hash ^ d) * 0x100000001b3u;
  return hash;
}

prg::Seed stream_seed(const prg::Seed& seed, const Request& request, std::uint64_t stream) {
  const auto kind = static_cast<std::uint64_t>(request.kind);
  return prg::derive(
      seed, {kind, request.counter, stream, request.units, request.chunk, shape_word(request)});
}

void take_part(const prg::Prg& prg, std::uint64_t first, const Take& take) {
  switch (take.as) {
    case Take::As::plain:
      return prg.fill_words(take.out, first);
    case Take::As::plus:
      return prg.add(take.out, take.x, first);
    case Take::As::minus:
      return prg.subtract(take.out, take.x, first);
    case Take::As::toggled:
      return prg.exclusive_or(take.out, take.x, first);
  }
}

}  // namespace

// The words of whole matrices are made by several threads; other chunks are too short for that.
void take_words(const prg::Prg& prg, std::uint64_t first, const Take& take, Pool& pool) {
  constexpr std::size_t kWordsPerPart = std::size_t{1} << 19;
  if (take.out.size() < 2 * kWordsPerPart) return take_part(prg, first, take);
  pool.parallel_for(take.out.size(), kWordsPerPart, [&](std::size_t begin, std::size_t end) {
    const std::size_t size = end - begin;
    const ConstWords x = take.x.empty() ? take.x : take.x.subspan(begin, size);
    take_part(prg, first + begin, {take.as, take.out.subspan(begin, size), x});
  });
}

std::vector<prg::Seed> stream_seeds(const prg::Seed& seed, const Request& request) {
  const Shape rows = shape(request);
  std::vector<prg::Seed> seeds;
  for (std::size_t i = 0; i < rows.num_masks + rows.num_products; ++i)
    seeds.push_back(stream_seed(seed, request, i));
  return seeds;
}

Streams::Streams(const prg::Seed& seed, const Request& request)
    : Streams(request, stream_seeds(seed, request)) {}

Streams::Streams(const Request& request, std::span<const prg::Seed> seeds)
    : full_(layout(request, request.chunk)) {
  check(seeds.size() == full_.num_masks + full_.num_products, Code::internal,
        "the seeds do not fit the streams of a request");
  prgs_.reserve(seeds.size());
  for (const prg::Seed& seed : seeds) prgs_.emplace_back(seed);
}

void Streams::mask(std::size_t index, std::uint64_t chunk, const Take& take, Pool& pool) const {
  take_words(prgs_[index], chunk * full_.masks[index], take, pool);
}

void Streams::product(std::size_t index, std::uint64_t chunk, const Take& take, Pool& pool) const {
  take_words(prgs_[full_.num_masks + index], chunk * full_.products[index], take, pool);
}

void mask_words(const prg::Seed& seed, const Request& mask, std::uint64_t first, Words out,
                Pool& pool) {
  take_words(prg::Prg(stream_seed(seed, mask, 0)), first, out, pool);
}

}  // namespace petcore::correlation
