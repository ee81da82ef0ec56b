// Products of shared bits by oblivious transfer: x y = x0 y0 + x1 y1 + the two crossed terms, and
// one choice serves every bit that x is multiplied by.
#pragma once

#include <vector>

#include "correlation/ot_making.h"

namespace petcore::correlation {

// Ands: products of shared bits, collected and then made together. All vectors are packed bits of
// one length, and live until run() returns.
class Ands {
 public:
  explicit Ands(std::size_t words) : words_(words) {}

  // add asks for out[i] = x & y[i] for every i. outs[i] may be y[i].
  void add(const std::uint64_t* x, std::vector<const std::uint64_t*> y,
           std::vector<std::uint64_t*> outs);
  void run(Making& making);

 private:
  struct Job {
    const std::uint64_t* x;
    std::vector<const std::uint64_t*> y;
    std::vector<std::uint64_t*> outs;
  };
  void run_jobs(Making& making, std::span<const Job> jobs, std::size_t strings);

  std::size_t words_;
  std::vector<Job> jobs_;
};

// The kinds whose masks or products are bits.
void make_and(Making& making, Chunk& chunk, std::size_t num_pairs);
void make_dabit(Making& making, const Request& request, std::uint64_t units, Chunk& chunk);
void make_bit_product(Making& making, std::uint64_t units, Chunk& chunk);
void make_half_select(Making& making, const Request& request, std::uint64_t units, Chunk& chunk);
void make_bit_bytes(Making& making, const Request& request, std::uint64_t units, Chunk& chunk);
void make_layer(Making& making, const Request& request, Chunk& chunk);

// word_from_bits turns exclusive-or shares b of words into additive shares, of words whose lowest
// `width` bits are those of b0 ^ b1.
void word_from_bits(Making& making, Words b, unsigned width);

// The kinds that begin with the bits of a word: all replace the masks.
void make_grouped(Making& making, const Request& request, std::uint64_t units, Chunk& chunk);
void make_digits(Making& making, const Request& request, std::uint64_t units, Chunk& chunk);
void make_waves(Making& making, const Request& request, std::uint64_t units, Chunk& chunk);

}  // namespace petcore::correlation
