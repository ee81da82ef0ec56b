#include "bits/gates.h"

#include "base/error.h"
#include "bits/bits_kernels.h"

namespace petcore::bits {
namespace {

void fit(bool sizes_agree) {
  check(sizes_agree, Code::usage, "bits: slices have the wrong number or size for this gate");
}

// num_pairs checks the operands of a node: g and p of each of its pairs.
void fit_pairs(Node node, ConstWords g, ConstWords p, std::size_t words) {
  fit(node.fan_in >= 2 && node.fan_in <= kFanInMax && p.size() == node.fan_in * words &&
      g.size() == (node.parts == Parts::equal ? 0 : p.size()));
}

}  // namespace

void deal_group(Words dealt, ConstWords r, std::size_t words, std::string_view target) {
  const std::size_t num_bits = words == 0 ? 0 : r.size() / words;
  fit(num_bits >= 1 && num_bits <= kGroupMax && r.size() == num_bits * words &&
      dealt.size() == group_slices(num_bits) * words);
  choose(target).deal_group(dealt.data(), r.data(), words, num_bits);
}

void compare_group(Words g, Words p, ConstWords c, ConstWords dealt, std::size_t words, bool first,
                   Parts parts, std::string_view target) {
  const std::size_t num_bits = words == 0 ? 0 : c.size() / words;
  fit(num_bits >= 1 && num_bits <= kGroupMax && c.size() == num_bits * words &&
      dealt.size() == group_slices(num_bits) * words && p.size() == words &&
      (parts == Parts::equal || g.size() == words));
  choose(target).compare_group(parts == Parts::equal ? nullptr : g.data(), p.data(), c.data(),
                               dealt.data(), words, num_bits, first);
}

void deal_node(Node node, Words dealt, ConstWords masks, std::size_t words,
               std::string_view target) {
  fit(node.fan_in >= 2 && node.fan_in <= kFanInMax &&
      dealt.size() == dealt_slices(node.fan_in, node.parts) * words &&
      masks.size() == opened_slices(node.fan_in, node.parts) * words);
  choose(target).deal_node(node, dealt.data(), masks.data(), words);
}

void mask_node(Node node, Words own, ConstWords g, ConstWords p, std::size_t words,
               std::string_view target) {
  fit_pairs(node, g, p, words);
  fit(own.size() == opened_slices(node.fan_in, node.parts) * words);
  choose(target).mask_node(node, own.data(), g.data(), p.data(), words);
}

void close_node(Node node, Words g_out, Words p_out, ConstWords g, ConstWords p, ConstWords own,
                ConstWords theirs, ConstWords dealt, std::size_t words, std::string_view target) {
  fit_pairs(node, g, p, words);
  fit(own.size() == opened_slices(node.fan_in, node.parts) * words && theirs.size() == own.size() &&
      dealt.size() == dealt_slices(node.fan_in, node.parts) * words &&
      (node.parts == Parts::equal || g_out.size() == words) &&
      (node.parts == Parts::less || p_out.size() == words));
  choose(target).close_node(
      node,
      {g_out.data(), p_out.data(), g.data(), p.data(), own.data(), theirs.data(), dealt.data()},
      words);
}

void exclusive_or(Words out, ConstWords x, ConstWords y, std::string_view target) {
  fit(x.size() == out.size() && y.size() == out.size());
  choose(target).exclusive_or(out.data(), x.data(), y.data(), out.size());
}

void conjunction(Words out, ConstWords x, ConstWords y, std::string_view target) {
  fit(x.size() == out.size() && y.size() == out.size());
  choose(target).conjunction(out.data(), x.data(), y.data(), out.size());
}

}  // namespace petcore::bits
