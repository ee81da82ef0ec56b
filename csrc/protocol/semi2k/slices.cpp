#include "protocol/semi2k/slices.h"

#include <algorithm>

namespace petcore::protocol::semi2k {
namespace {

struct AndPair {
  ConstWords own, theirs, c, c2;  // own and theirs: [p_hi][g_lo][p_lo] for all nodes
};

// Turns the opened words of one chunk into the new (g, p) of every node. In place: a node writes
// below every position that later nodes read.
void finish_chunk(Slices& g, Slices& p, std::size_t chunk, std::span<const Node> nodes,
                  const AndPair& in) {
  const std::size_t words = g.words_in(chunk), all = in.c.size();
  std::size_t at = 0;
  for (const Node& node : nodes) {
    std::uint64_t *g_out = g.at(chunk, node.out), *p_out = p.at(chunk, node.out);
    const std::uint64_t *g_hi = g.at(chunk, node.hi), *p_hi = p.at(chunk, node.hi);
    const std::uint64_t *g_lo = g.at(chunk, node.lo), *p_lo = p.at(chunk, node.lo);
    const std::uint64_t *own = in.own.data() + at, *theirs = in.theirs.data() + at;
    const std::uint64_t *c = in.c.data() + at, *c2 = in.c2.data() + at;
    for (std::size_t w = 0; w < words; ++w) {
      const std::uint64_t d = own[w] ^ theirs[w], a = p_hi[w] ^ own[w];
      const std::uint64_t f = own[all + w] ^ theirs[all + w];
      const std::uint64_t f2 = own[2 * all + w] ^ theirs[2 * all + w];
      const std::uint64_t new_g = g_hi[w] ^ (d & g_lo[w]) ^ (f & a) ^ c[w];
      p_out[w] = (d & p_lo[w]) ^ (f2 & a) ^ c2[w];
      g_out[w] = new_g;
    }
    at += words;
  }
}

void mask_chunk(Slices& g, Slices& p, std::size_t chunk, std::span<const Node> nodes, Words own,
                std::size_t all) {
  const std::size_t words = g.words_in(chunk);
  std::size_t at = 0;
  for (const Node& node : nodes) {
    const std::uint64_t* p_hi = p.at(chunk, node.hi);
    const std::uint64_t *g_lo = g.at(chunk, node.lo), *p_lo = p.at(chunk, node.lo);
    std::uint64_t* to = own.data() + at;
    for (std::size_t w = 0; w < words; ++w) {
      to[w] ^= p_hi[w];
      to[all + w] ^= g_lo[w];
      to[2 * all + w] ^= p_lo[w];
    }
    at += words;
  }
}

}  // namespace

void Slices::gather(Words out, std::size_t slice) {
  for (std::size_t i = 0; i < num_chunks(); ++i)
    std::copy_n(at(i, slice), words_in(i), out.begin() + i * kChunkWords);
}

correlation::Request layer_request(std::size_t n, std::size_t num_nodes) {
  return {.kind = correlation::Kind::and_pair,
          .units = num_nodes * bits::num_words(n),
          .chunk = num_nodes * kChunkWords};
}

void run_layer(Env& env, Slices& g, Slices& p, std::span<const Node> nodes) {
  const std::size_t ands = nodes.size();
  const std::size_t all_max = ands * g.words_in(0);
  Buffer<std::uint64_t> c(all_max), c2(all_max);
  const auto produce = [&](std::size_t i, Words own) {
    const std::size_t all = ands * g.words_in(i);
    env.source.masks({own.first(all), own.subspan(all, all), own.subspan(2 * all, all)});
    mask_chunk(g, p, i, nodes, own, all);
    return 3 * all;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const std::size_t all = ands * g.words_in(i);
    const Words c_i = c.span().first(all), c2_i = c2.span().first(all);
    env.source.products({c_i, c2_i});
    finish_chunk(g, p, i, nodes, {own, theirs, c_i, c2_i});
  };
  run_exchange(env, other(env.party), {g.num_chunks(), 3 * all_max, produce, consume});
}

std::vector<std::vector<Node>> prefix_layers(std::size_t leaves) {
  std::vector<std::vector<Node>> layers;
  for (std::size_t half = 1; half < leaves; half *= 2) {
    std::vector<Node>& layer = layers.emplace_back();
    for (std::size_t j = 0; j < leaves; ++j)
      if ((j & half) != 0) layer.push_back({j, (j & ~(2 * half - 1)) + half - 1, j});
  }
  return layers;
}

void append_layers(std::vector<correlation::Request>& plan, std::size_t n,
                   const std::vector<std::vector<Node>>& layers) {
  for (const auto& layer : layers) plan.push_back(layer_request(n, layer.size()));
}

void run_layers(Env& env, Slices& g, Slices& p, const std::vector<std::vector<Node>>& layers) {
  for (const auto& layer : layers) run_layer(env, g, p, layer);
}

void borrow_leaves(int party, Words g, Words p, ConstWords c, ConstWords r) {
  const std::uint64_t mine = party == 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t w = 0; w < g.size(); ++w) {
    g[w] = r[w] & ~c[w];
    p[w] = r[w] ^ (~c[w] & mine);
  }
}

}  // namespace petcore::protocol::semi2k
