// Streams: the words that one party's seed stands for, one PRG per stream of a request.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/pool.h"
#include "correlation/request.h"
#include "prg/prg.h"

namespace petcore::correlation {

// Take is where random words s go, and what is made of them and of words x on the way: s, x + s,
// x - s or x ^ s. out may be x.
struct Take {
  enum class As : std::uint8_t { plain, plus, minus, toggled };
  Words out;
  As as = As::plain;
  ConstWords x = {};
  Take(Words to) : out(to) {}  // NOLINT: the plain words are what a list of spans stands for
  Take(As how, Words to, ConstWords with) : out(to), as(how), x(with) {}
};
inline Take plus(Words out, ConstWords x) { return {Take::As::plus, out, x}; }
inline Take minus(Words out, ConstWords x) { return {Take::As::minus, out, x}; }
inline Take toggled(Words out, ConstWords x) { return {Take::As::toggled, out, x}; }

// take_words takes from first_word on, large ones with several threads.
void take_words(const prg::Prg& prg, std::uint64_t first, const Take& take, Pool& pool);
// stream_seeds are what the streams of a request are expanded from, masks first. They tell nothing
// of any other request.
std::vector<prg::Seed> stream_seeds(const prg::Seed& seed, const Request& request);

class Streams {
 public:
  // Kind, counter, stream number and every size are bound into each stream's seed, so that two
  // different requests never share a word.
  Streams(const prg::Seed& seed, const Request& request);
  // The streams of a request whose seeds were opened (stream_seeds).
  Streams(const Request& request, std::span<const prg::Seed> seeds);

  // mask and product take from stream `index` of one chunk.
  void mask(std::size_t index, std::uint64_t chunk, const Take& take, Pool& pool) const;
  void product(std::size_t index, std::uint64_t chunk, const Take& take, Pool& pool) const;

 private:
  Layout full_;
  std::vector<prg::Prg> prgs_;  // masks first, then products
};

// mask_words fills words [first, first + out.size()) of the matrix that a mask request stands for.
void mask_words(const prg::Seed& seed, const Request& mask, std::uint64_t first, Words out,
                Pool& pool);

}  // namespace petcore::correlation
