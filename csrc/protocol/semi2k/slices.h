// Slices: bit-sliced working state of a block of elements, and AND layers on it.
//
// Bit s of every element of chunk i is one packed vector, so that a layer of a circuit is a few
// passes over whole words, and the words a layer sends shrink with the circuit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bits/bits.h"
#include "protocol/semi2k/semi2k.h"

namespace petcore::protocol::semi2k {

// A block runs through all rounds of a circuit at once; longer vectors go block by block, which
// bounds the working memory.
constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr std::size_t kChunkWords = correlation::kChunk / 64;

class Slices {
 public:
  Slices(std::size_t n, std::size_t num_slices)
      : n_(n), num_slices_(num_slices), words_(num_slices * bits::num_words(n)) {}

  std::size_t num_chunks() const { return semi2k::num_chunks(n_); }
  std::size_t words_in(std::size_t chunk) const {
    return bits::num_words(chunk_at(chunk, n_).size);
  }
  Words chunk(std::size_t i) {
    return words_.span().subspan(i * num_slices_ * kChunkWords, num_slices_ * words_in(i));
  }
  std::uint64_t* at(std::size_t i, std::size_t slice) {
    return words_.data() + i * num_slices_ * kChunkWords + slice * words_in(i);
  }
  std::size_t size() const { return n_; }
  bool empty() const { return num_slices_ == 0; }
  // gather copies one slice of all chunks into a packed vector.
  void gather(Words out, std::size_t slice);

 private:
  std::size_t n_, num_slices_;
  Buffer<std::uint64_t> words_;
};

// Node: position `out` becomes hi o lo, (g, p) o (g', p') = (g ^ p g', p p').
struct Node {
  std::size_t hi, lo, out;
};

// A layer of nodes costs one round, three bits per node and element; `layer_request` is the
// correlation it takes.
void run_layer(Env& env, Slices& g, Slices& p, std::span<const Node> nodes);
correlation::Request layer_request(std::size_t n, std::size_t num_nodes);

// prefix_layers leaves in every position the combination of all positions up to it (Sklansky).
std::vector<std::vector<Node>> prefix_layers(std::size_t leaves);

// append_layers adds the requests of these layers to a plan; run_layers runs them.
void append_layers(std::vector<correlation::Request>& plan, std::size_t n,
                   const std::vector<std::vector<Node>>& layers);
void run_layers(Env& env, Slices& g, Slices& p, const std::vector<std::vector<Node>>& layers);

// Leaves of "public c less than shared r", position by position: g = r & ~c, p = ~(r ^ c).
void borrow_leaves(int party, Words g, Words p, ConstWords c, ConstWords r);

}  // namespace petcore::protocol::semi2k
