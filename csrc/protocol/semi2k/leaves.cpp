#include "protocol/semi2k/leaves.h"

#include <algorithm>

#include "correlation/lookups.h"
#include "correlation/tables.h"
#include "protocol/semi2k/functions.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::kEntries;
using correlation::kIndexBits;
using petcore::bits::num_words;
using petcore::bits::Parts;

constexpr std::size_t kFanIn = 4;

Tree leaf_tree(unsigned width, Parts parts) {
  return {(width + kIndexBits - 1) / kIndexBits, 1, kFanIn, parts};
}
unsigned entry_bits(Parts parts) { return parts == Parts::equal ? 1 : 2; }

// The digits of a chunk lie one after the other, a lane each. Of this run of lanes party 0 has the
// tables of the first half, party 1 of the second; a last word is added where the two differ.
class Lanes {
 public:
  Lanes(int party, std::size_t words, std::size_t digits, unsigned bits)
      : party_(party), lanes_(words * digits), half_((lanes_ + 1) / 2), bits_(bits) {}

  std::size_t half() const { return half_; }
  std::size_t own_table() const { return party_ == 0 ? 0 : half_; }  // the first lane
  std::size_t own_index() const { return half_ - own_table(); }
  // count is how many lanes of the half that begins there hold a digit.
  std::size_t count(std::size_t begin) const { return std::min(half_, lanes_ - begin); }
  std::size_t table_words() const { return correlation::table_rows(bits_) * half_; }
  std::size_t index_words() const { return kIndexBits * half_; }

 private:
  int party_;
  std::size_t lanes_, half_;
  unsigned bits_;
};

// gather_digits copies the bits of the digits of one half of the lanes: bit b of every lane in row
// b. slices are those of the numbers, `words` each.
void gather_digits(Words out, ConstWords slices, std::size_t words, std::size_t begin,
                   std::size_t count) {
  const std::size_t half = out.size() / kIndexBits;
  std::fill(out.begin(), out.end(), 0);
  for (std::size_t b = 0; b < kIndexBits; ++b)
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t lane = begin + i, slice = lane / words * kIndexBits + b;
      if ((slice + 1) * words <= slices.size())
        out[b * half + i] = slices[slice * words + lane % words];
    }
}

// add_table adds (exclusive or) the entries for this party's digits: with rows [digit > v], whether
// party 0's digit is greater than party 1's where the other party's is v, and whether it is equal.
void add_table(int party, Words table, ConstWords digits, unsigned bits) {
  const std::size_t half = digits.size() / kIndexBits;
  Buffer<std::uint64_t> above((kEntries - 1) * half);
  correlation::digit_rows(above.data(), digits.data(), kIndexBits, half);
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  for (std::size_t v = 0; v < kEntries; ++v) {
    std::uint64_t* entry = table.data() + v * bits * half;
    const std::uint64_t* here = above.data() + v * half;
    const std::uint64_t* before = here - half;
    const bool first = v == 0, last = v + 1 == kEntries;
    for (std::size_t w = 0; w < half; ++w) {
      const std::uint64_t is_above = last ? 0 : here[w], reaches = first ? kAll : before[w];
      // Party 1's digit is below v unless it reaches v.
      if (bits == 2) entry[w] ^= party == 0 ? is_above : ~reaches;
      entry[(bits - 1) * half + w] ^= is_above ^ reaches;
    }
  }
}

// The numbers of one chunk on their way through the two rounds.
struct Asking {
  Lanes lanes;
  Buffer<std::uint64_t> masks;  // the table's, then the index's
  Buffer<std::uint64_t> slices;
  Words table_mask() { return masks.span().first(lanes.table_words()); }
  Words index() { return masks.span().subspan(lanes.table_words()); }
};

void place(Slices& to, std::size_t chunk, std::size_t begin, std::size_t count,
           ConstWords entries) {
  std::copy_n(entries.begin(), count, to.chunk(chunk).begin() + begin);
}

class LeafRounds {
 public:
  LeafRounds(Env& env, Pairs& pairs, const Tree& tree, ConstWords own, unsigned width)
      : env_(env), pairs_(pairs), bits_(entry_bits(tree.parts)), width_(width) {
    for (std::size_t i = 0; i < pairs.p.num_chunks(); ++i) {
      const Range r = chunk_at(i, own.size());
      const std::size_t words = num_words(r.size);
      Lanes lanes(env.party, words, tree.leaves, bits_);
      Asking asking{lanes, Buffer<std::uint64_t>(lanes.table_words() + lanes.index_words()),
                    Buffer<std::uint64_t>(width * words)};
      petcore::bits::to_slices(asking.slices.span(), own.subspan(r.begin, r.size), width);
      chunks_.push_back(std::move(asking));
    }
  }

  // Every index, masked; then the random entries are where the masked table needs them.
  void ask() {
    const auto produce = [&](std::size_t i, Words own) {
      Asking& chunk = chunks_[i];
      const std::size_t begin = chunk.lanes.own_index(), size = chunk.lanes.index_words();
      env_.source.masks({chunk.masks.span()});
      Buffer<std::uint64_t> wanted(size);
      gather_digits(wanted.span(), chunk.slices.span(), words_in(i), begin,
                    chunk.lanes.count(begin));
      petcore::bits::exclusive_or(own.first(size), chunk.index(), wanted.span());
      std::copy(wanted.begin(), wanted.end(), chunk.index().begin());
      return size;
    };
    const auto consume = [&](std::size_t i, ConstWords, ConstWords theirs) {
      correlation::reorder_entries(chunks_[i].table_mask(), theirs, bits_);
    };
    run_exchange(env_, other(env_.party),
                 {chunks_.size(), chunks_.front().lanes.index_words(), produce, consume});
  }

  void answer() {
    const auto produce = [&](std::size_t i, Words own) {
      Asking& chunk = chunks_[i];
      const std::size_t begin = chunk.lanes.own_table(), size = chunk.lanes.table_words();
      Buffer<std::uint64_t> digits(chunk.lanes.index_words());
      gather_digits(digits.span(), chunk.slices.span(), words_in(i), begin,
                    chunk.lanes.count(begin));
      add_table(env_.party, chunk.table_mask(), digits.span(), bits_);
      std::copy_n(chunk.table_mask().begin(), size, own.begin());
      return size;
    };
    const auto consume = [&](std::size_t i, ConstWords, ConstWords theirs) {
      plant_lookups(i, theirs);
      chunks_[i].masks = {};
    };
    run_exchange(env_, other(env_.party),
                 {chunks_.size(), chunks_.front().lanes.table_words(), produce, consume});
  }

 private:
  std::size_t words_in(std::size_t chunk) const { return pairs_.p.words_in(chunk); }

  void plant_lookups(std::size_t i, ConstWords theirs) {
    Asking& chunk = chunks_[i];
    const std::size_t half = chunk.lanes.half();
    Buffer<std::uint64_t> entries(2 * bits_ * half), found(bits_ * half);
    env_.source.products({entries.span()});
    correlation::pick_entries(found.span(), theirs, chunk.index(), bits_);
    const std::size_t asked = env_.party == 0 ? bits_ * half : 0;
    const Words mine = entries.span().subspan(asked, bits_ * half);
    petcore::bits::exclusive_or(mine, mine, found.span());
    for (std::size_t begin : {std::size_t{0}, half})
      for (unsigned b = 0; b < bits_; ++b) {
        const std::size_t row = (begin == 0 ? 0 : bits_) + b;
        place(b + 1 == bits_ ? pairs_.p : pairs_.g, i, begin, chunk.lanes.count(begin),
              entries.span().subspan(row * half, half));
      }
  }

  Env& env_;
  Pairs& pairs_;
  unsigned bits_, width_;
  std::vector<Asking> chunks_;
};

}  // namespace

void compare_own(Env& env, Words out, ConstWords own, unsigned width, Parts parts) {
  const Tree tree = leaf_tree(width, parts);
  Pairs pairs(own.size(), tree);
  {
    LeafRounds rounds(env, pairs, tree, own, width);
    rounds.ask();
    rounds.answer();
  }
  run_tree(env, pairs, tree);
  (parts == Parts::equal ? pairs.p : pairs.g).gather(out, 0);
}

Plan compare_own_plan(std::size_t n, unsigned width, Parts parts) {
  const Tree tree = leaf_tree(width, parts);
  const auto units = [&](std::size_t size) { return (num_words(size) * tree.leaves + 1) / 2; };
  const std::uint64_t chunk = units(correlation::kChunk);
  Plan plan{correlation::lookup_request(
      n / correlation::kChunk * chunk + units(n % correlation::kChunk), chunk, entry_bits(parts))};
  append_tree(plan, n, tree);
  return plan;
}

Cost lookup_cost(const correlation::Request& request) {
  Cost cost = one_round(kIndexBits * request.units, request);
  const auto bits = static_cast<unsigned>(request.dims[0]);
  return cost += one_round(correlation::table_rows(bits) * request.units);
}

}  // namespace petcore::protocol::semi2k
