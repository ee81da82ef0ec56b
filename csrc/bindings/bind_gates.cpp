// The gates of boolean circuits on slices; arrays hold the slices of a call one after the other.
#include <string>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bits/flags.h"
#include "bits/gates.h"

namespace petcore::bindings {
namespace {

using py::arg;

bits::Parts parts_of(const std::string& name) {
  if (name == "both") return bits::Parts::both;
  if (name == "less") return bits::Parts::less;
  check(name == "equal", Code::usage, "parts are \"both\", \"less\" or \"equal\"");
  return bits::Parts::equal;
}

bits::Node node_of(unsigned fan_in, const std::string& parts) {
  check(fan_in >= 2 && fan_in <= bits::kFanInMax, Code::usage, "a node folds 2 to 4 pairs");
  return {fan_in, parts_of(parts)};
}

py::array deal_group(const py::array& r, std::size_t words, const std::string& target) {
  const ConstWords in = const_words(r, "r");
  check(words > 0 && in.size() / words <= bits::kGroupMax, Code::usage, "a group has 1 to 4 bits");
  Buffer<std::uint64_t> out(bits::group_slices(in.size() / words) * words);
  bits::deal_group(out.span(), in, words, target);
  return to_array(std::move(out));
}

py::tuple compare_group(const py::array& c, const py::array& dealt, std::size_t words, bool first,
                        const std::string& parts, const std::string& target) {
  const bits::Parts needed = parts_of(parts);
  Buffer<std::uint64_t> g(needed == bits::Parts::equal ? 0 : words), p(words);
  bits::compare_group(g.span(), p.span(), const_words(c, "c"), const_words(dealt, "dealt"), words,
                      first, needed, target);
  return py::make_tuple(to_array(std::move(g)), to_array(std::move(p)));
}

py::array deal_node(unsigned fan_in, const std::string& parts, const py::array& masks,
                    std::size_t words, const std::string& target) {
  const bits::Node node = node_of(fan_in, parts);
  Buffer<std::uint64_t> out(bits::dealt_slices(fan_in, node.parts) * words);
  bits::deal_node(node, out.span(), const_words(masks, "masks"), words, target);
  return to_array(std::move(out));
}

void mask_node(unsigned fan_in, const std::string& parts, py::array& own, const py::array& g,
               const py::array& p, std::size_t num_words, const std::string& target) {
  bits::mask_node(node_of(fan_in, parts), words(own, "own"), const_words(g, "g"),
                  const_words(p, "p"), num_words, target);
}

py::tuple close_node(unsigned fan_in, const std::string& parts, const py::array& g,
                     const py::array& p, const py::array& own, const py::array& theirs,
                     const py::array& dealt, std::size_t words, const std::string& target) {
  const bits::Node node = node_of(fan_in, parts);
  Buffer<std::uint64_t> g_out(node.parts == bits::Parts::equal ? 0 : words);
  Buffer<std::uint64_t> p_out(node.parts == bits::Parts::less ? 0 : words);
  bits::close_node(node, g_out.span(), p_out.span(), const_words(g, "g"), const_words(p, "p"),
                   const_words(own, "own"), const_words(theirs, "theirs"),
                   const_words(dealt, "dealt"), words, target);
  return py::make_tuple(to_array(std::move(g_out)), to_array(std::move(p_out)));
}

// made calls run with a new array of so many words.
template <class Run>
py::array made(std::size_t size, const Run& run) {
  Buffer<std::uint64_t> out(size);
  run(out.span());
  return to_array(std::move(out));
}

void bind_flags(Kernels& m) {
  using std::string;
  const auto in = [](const char* name) { return arg(name).noconvert(); };
  m.def_static(
      "expand",
      [](const py::array& flags, std::size_t n, const string& target) {
        const ConstWords f = const_words(flags, "flags");
        return made(n, [&](Words out) { bits::expand(out, f, target); });
      },
      in("flags"), arg("size"), arg("target") = "");
  m.def_static(
      "expand_halves",
      [](const py::array& flags, std::size_t n, const string& target) {
        const ConstWords f = const_words(flags, "flags");
        return made((n + 1) / 2, [&](Words out) { bits::expand_halves(out, f, target); });
      },
      in("flags"), arg("size"), arg("target") = "");
  m.def_static(
      "keep",
      [](const py::array& x, const py::array& flags, const string& target) {
        const ConstWords a = const_words(x, "x"), f = const_words(flags, "flags");
        return made(a.size(), [&](Words out) { bits::keep(out, a, f, target); });
      },
      in("x"), in("flags"), arg("target") = "");
  m.def_static(
      "reflect",
      [](const py::array& x, const py::array& y, const py::array& flags, const string& target) {
        const ConstWords a = const_words(x, "x"), b = const_words(y, "y");
        const ConstWords f = const_words(flags, "flags");
        return made(a.size(), [&](Words out) { bits::reflect(out, a, b, f, target); });
      },
      in("x"), in("y"), in("flags"), arg("target") = "");
  m.def_static(
      "turn_add",
      [](const py::array& x, const py::array& turn, const py::array& plus, const py::array& minus,
         const string& target) {
        const ConstWords a = const_words(x, "x"), t = const_words(turn, "turn");
        const ConstWords p = const_words(plus, "plus"), q = const_words(minus, "minus");
        return made(a.size(), [&](Words out) { bits::turn_add(out, a, t, p, q, target); });
      },
      in("x"), in("turn"), in("plus"), in("minus"), arg("target") = "");
  m.def_static(
      "top_flags",
      [](const py::array& x, std::uint64_t offset, const string& target) {
        const ConstWords a = const_words(x, "x");
        return made((a.size() + 63) / 64,
                    [&](Words out) { bits::top_flags(out, a, offset, target); });
      },
      in("x"), arg("offset") = 0, arg("target") = "");
  m.def_static(
      "quotient",
      [](const py::array& x, const py::array& wrap, unsigned f, std::uint64_t offset,
         std::uint64_t round, std::uint64_t known, const string& target) {
        const ConstWords a = const_words(x, "x"), w = const_words(wrap, "wrap");
        return made(a.size(), [&](Words out) {
          bits::quotient(out, a, w, {f, offset, round, known}, target);
        });
      },
      in("x"), in("wrap"), arg("f"), arg("offset"), arg("round"), arg("known"), arg("target") = "");
}

}  // namespace

void bind_gates(Kernels& m) {
  bind_flags(m);
  m.def_static(
      "opened_slices",
      [](unsigned fan_in, const std::string& parts) {
        return bits::opened_slices(fan_in, parts_of(parts));
      },
      arg("fan_in"), arg("parts"));
  m.def_static("deal_group", deal_group, arg("r").noconvert(), arg("words"), arg("target") = "");
  m.def_static("compare_group", compare_group, arg("c").noconvert(), arg("dealt").noconvert(),
               arg("words"), arg("first"), arg("parts") = "both", arg("target") = "");
  m.def_static("deal_node", deal_node, arg("fan_in"), arg("parts"), arg("masks").noconvert(),
               arg("words"), arg("target") = "");
  m.def_static("mask_node", mask_node, arg("fan_in"), arg("parts"), arg("own").noconvert(),
               arg("g").noconvert(), arg("p").noconvert(), arg("words"), arg("target") = "");
  m.def_static("close_node", close_node, arg("fan_in"), arg("parts"), arg("g").noconvert(),
               arg("p").noconvert(), arg("own").noconvert(), arg("theirs").noconvert(),
               arg("dealt").noconvert(), arg("words"), arg("target") = "");
}

}  // namespace petcore::bindings
