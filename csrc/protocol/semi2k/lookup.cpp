#include "protocol/semi2k/lookup.h"

#include <algorithm>

#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

constexpr std::size_t kEntriesMax = 16;

// pick leaves in list[0] the entry that the selectors, lowest bit first, point at. All entries are
// read whatever the selectors are.
template <std::size_t kEntries>
std::uint64_t pick(std::uint64_t (&list)[kEntriesMax], const std::uint64_t* selectors) {
  for (std::size_t half = kEntries / 2; half > 0; half /= 2) {
    const std::uint64_t selector = *selectors++;
    for (std::size_t i = 0; i < half; ++i)
      list[i] = list[2 * i] ^ ((list[2 * i] ^ list[2 * i + 1]) & selector);
  }
  return list[0];
}

// The digit has kBits bits; row v of the table is [d > v].
template <unsigned kBits>
void look_up_digit(std::uint64_t mine, std::uint64_t* g, std::uint64_t* p, const std::uint64_t* c,
                   const std::uint64_t* table, std::size_t words) {
  constexpr std::size_t kEntries = std::size_t{1} << kBits;
  for (std::size_t w = 0; w < words; ++w) {
    std::uint64_t above[kEntriesMax], equal[kEntriesMax], selectors[kBits];
    std::uint64_t before = mine;
    for (std::size_t v = 0; v < kEntries; ++v) {
      above[v] = v + 1 < kEntries ? table[v * words + w] : 0;
      equal[v] = before ^ above[v];
      before = above[v];
    }
    for (unsigned b = 0; b < kBits; ++b) selectors[b] = c[b * words + w];
    g[w] = pick<kEntries>(above, selectors);
    p[w] = pick<kEntries>(equal, selectors);
  }
}

Tree digit_trees(std::size_t n, const correlation::Digits& digits, std::size_t num_thresholds) {
  Tree tree = tree_for(n, digits.count, petcore::bits::Parts::less, num_thresholds);
  tree.group = 1;
  return tree;
}

}  // namespace

void look_up(int party, Words g, Words p, ConstWords c, ConstWords table,
             const correlation::Digits& digits) {
  const std::uint64_t mine = party == 0 ? ~std::uint64_t{0} : 0;
  const std::size_t words = g.size() / digits.count;
  const auto digit = digits.bits == 4   ? look_up_digit<4>
                     : digits.bits == 3 ? look_up_digit<3>
                     : digits.bits == 2 ? look_up_digit<2>
                                        : look_up_digit<1>;
  for (unsigned j = 0; j < digits.count; ++j)
    digit(mine, g.data() + j * words, p.data() + j * words, c.data() + j * digits.bits * words,
          table.data() + j * digits.rows_per_digit() * words, words);
}

Signs::Signs(std::size_t n, const correlation::Digits& digits, std::size_t num_thresholds)
    : digits_(digits),
      tree_(digit_trees(n, digits, num_thresholds)),
      pairs_(n, tree_),
      top_(n, num_thresholds),
      shifted_(chunk_words(n)),
      c_rows_(digits.width() * petcore::bits::num_words(chunk_words(n))) {}

void Signs::add(int party, std::size_t chunk, ConstWords c,
                std::span<const std::uint64_t> thresholds, ConstWords table) {
  const std::size_t words = pairs_.g.words_in(chunk), leaves = digits_.count * words;
  const Words shifted = shifted_.span().first(c.size());
  const Words rows = c_rows_.span().first(digits_.width() * words);
  const ConstWords r_top = table.last(words), c_top = rows.last(words);
  for (std::size_t k = 0; k < tree_.trees; ++k) {
    for (std::size_t j = 0; j < c.size(); ++j) shifted[j] = (c[j] - thresholds[k]) >> digits_.low;
    petcore::bits::to_slices(rows, shifted, digits_.width());
    look_up(party, pairs_.g.chunk(chunk).subspan(k * leaves, leaves),
            pairs_.p.chunk(chunk).subspan(k * leaves, leaves), rows, table, digits_);
    std::uint64_t* top = top_.at(chunk, k);
    for (std::size_t w = 0; w < words; ++w) top[w] = r_top[w] ^ (party == 0 ? c_top[w] : 0);
  }
}

void Signs::run(Env& env) { run_tree(env, pairs_, tree_); }

void Signs::negative(Words out, std::size_t k) {
  // After the layers position k of the last one holds threshold k's borrow.
  Buffer<std::uint64_t> borrow(out.size());
  pairs_.g.gather(borrow.span(), k * digits_.count);
  top_.gather(out, k);
  for (std::size_t w = 0; w < out.size(); ++w) out[w] ^= borrow[w];
}

void Signs::plan(Plan& plan, std::size_t n, const correlation::Digits& digits,
                 std::size_t num_thresholds) {
  append_tree(plan, n, digit_trees(n, digits, num_thresholds));
}

}  // namespace petcore::protocol::semi2k
