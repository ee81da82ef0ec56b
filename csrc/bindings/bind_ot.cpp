// Extensions of oblivious transfer and the products made of them; for tests and benchmarks.
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "net/channel.h"
#include "ot/products.h"
#include "ot/softspoken.h"

namespace petcore::bindings {
namespace {

using py::arg;
using Channel = std::shared_ptr<net::Channel>;

// Cheat is a receiver whose choices differ in some trees.
class Cheat : public ot::SoftSpokenReceiver {
 public:
  Cheat(Channel channel, Pool& pool, const ot::Options& options, std::vector<std::size_t> trees)
      : SoftSpokenReceiver(std::move(channel), pool, options), trees_(std::move(trees)) {}

 protected:
  void correct(std::span<Block> rows, std::span<const Block> choices) const override {
    SoftSpokenReceiver::correct(rows, choices);
    for (const std::size_t tree : trees_) rows[tree * choices.size()] ^= Block{1, 0};
  }

 private:
  std::vector<std::size_t> trees_;
};

struct WithPool {
  explicit WithPool(std::size_t threads) : pool(threads) {}
  Pool pool;
};
// The pool comes first: it outlives what uses it.
struct Sender : WithPool, ot::SoftSpokenSender {
  Sender(Channel channel, const ot::Options& options, std::size_t threads)
      : WithPool(threads), SoftSpokenSender(std::move(channel), pool, options) {}
};
struct Receiver : WithPool, Cheat {
  Receiver(Channel channel, const ot::Options& options, std::vector<std::size_t> cheat,
           std::size_t threads)
      : WithPool(threads), Cheat(std::move(channel), pool, options, std::move(cheat)) {}
};
struct Products : WithPool, ot::Products {
  Products(Channel channel, int party, const ot::Options& options, std::size_t threads)
      : WithPool(threads), ot::Products(std::move(channel), party, options, pool) {}
};

ot::Ring ring_of(const std::string& name) {
  if (name == "bits") return ot::Ring::bits;
  if (name == "bytes") return ot::Ring::bytes;
  if (name == "halves") return ot::Ring::halves;
  check(name == "words", Code::usage, "rings are \"bits\", \"bytes\", \"halves\" and \"words\"");
  return ot::Ring::words;
}

ot::Modulus modulus_of(const std::string& name) {
  if (name == "word") return ot::Modulus::word;
  if (name == "residue") return ot::Modulus::residue;
  check(name == "wide", Code::usage, "moduli are \"word\", \"residue\" and \"wide\"");
  return ot::Modulus::wide;
}

ot::Options options_of(const std::string& kind, unsigned k, bool checked) {
  check(kind == "softspoken" || kind == "silent", Code::usage,
        "extensions are \"softspoken\" and \"silent\"");
  const auto of = kind == "silent" ? ot::Options::Kind::silent : ot::Options::Kind::softspoken;
  return {of, k, checked};
}

// run calls one method without the GIL and gives its output.
template <class Call>
py::array run(std::size_t words, const Call& call) {
  Buffer<std::uint64_t> out(words);
  {
    const py::gil_scoped_release release;
    call(out.span());
  }
  return to_array(std::move(out));
}

void bind_options(py::module_& module) {
  using ot::Options;
  py::class_<Options>(module, "Transfers", "How the parties extend oblivious transfers.")
      .def(py::init([](std::string method, double link_mbit, bool checked) {
             return ot::options_for({std::move(method), link_mbit, checked});
           }),
           arg("method") = "auto", arg("link_mbit") = ot::Wish{}.link_mbit, arg("checked") = true)
      .def_property_readonly("kind",
                             [](const Options& options) {
                               const bool silent = options.kind == Options::Kind::silent;
                               return silent ? "silent" : "softspoken";
                             })
      .def_readonly("k", &Options::k)
      .def_readonly("checked", &Options::checked)
      .def_property_readonly("bits",
                             [](const Options& options) {
                               return static_cast<double>(ot::block_bytes_of(options)) / 16;
                             })
      .def("__str__", &ot::text_of);
}

void bind_vectors(py::class_<Products>& products) {
  products
      .def(
          "cross_bits",
          [](Products& self, std::uint64_t tag, const std::string& step, const py::array& bits,
             const py::array& numbers, std::size_t n, const std::string& ring,
             std::size_t strings) {
            const ConstWords own = const_words(bits, "bits"), w = const_words(numbers, "words");
            return run(w.size(), [&](Words out) {
              self.cross_bits({tag, step}, out, own, w, n, ring_of(ring), strings);
            });
          },
          arg("tag"), arg("step"), arg("bits").noconvert(), arg("words").noconvert(), arg("n"),
          arg("ring"), arg("strings") = 1)
      .def(
          "bit_products",
          [](Products& self, std::uint64_t tag, const std::string& step, const py::array& bits,
             std::size_t n, const std::string& ring) {
            const ConstWords own = const_words(bits, "bits");
            return run(ot::words_of(ring_of(ring), n), [&](Words out) {
              self.bit_products({tag, step}, out, own, n, ring_of(ring));
            });
          },
          arg("tag"), arg("step"), arg("bits").noconvert(), arg("n"), arg("ring"))
      .def(
          "cross_words",
          [](Products& self, std::uint64_t tag, const std::string& step, const py::array& a,
             const py::array& b, const std::string& modulus) {
            const ConstWords own_a = const_words(a, "a"), own_b = const_words(b, "b");
            const std::size_t n = own_a.size() / (modulus == "wide" ? 2 : 1);
            return run(own_a.size(), [&](Words out) {
              self.cross_words({tag, step}, out, own_a, own_b, n, modulus_of(modulus));
            });
          },
          arg("tag"), arg("step"), arg("a").noconvert(), arg("b").noconvert(),
          arg("modulus") = "word")
      .def(
          "word_products",
          [](Products& self, std::uint64_t tag, const std::string& step, const py::array& own,
             const std::string& modulus) {
            const ConstWords words = const_words(own, "own");
            const std::size_t n = words.size() / (modulus == "wide" ? 2 : 1);
            return run(words.size(), [&](Words out) {
              self.word_products({tag, step}, out, words, n, modulus_of(modulus));
            });
          },
          arg("tag"), arg("step"), arg("own").noconvert(), arg("modulus") = "word");
}

void bind_others(py::class_<Products>& products) {
  products
      .def(
          "cross_matrices",
          [](Products& self, std::uint64_t tag, const std::string& step, const py::array& a,
             const py::array& b, std::size_t m, std::size_t k, std::size_t n) {
            const ConstWords own_a = const_words(a, "a"), own_b = const_words(b, "b");
            return run(m * n, [&](Words out) {
              self.cross_matrices({tag, step}, out, own_a, own_b, m, k, n);
            });
          },
          arg("tag"), arg("step"), arg("a").noconvert(), arg("b").noconvert(), arg("m"), arg("k"),
          arg("n"))
      .def(
          "lookups_16",
          [](Products& self, std::uint64_t tag, const std::string& step, const py::array& tables,
             std::size_t owned, const py::array& indices, std::size_t asked, unsigned width) {
            const ConstWords own = const_words(tables, "tables");
            const ConstWords index = const_words(indices, "indices");
            Buffer<std::uint64_t> out((asked + 63) / 64 * width);
            py::array of_owned = run((owned + 63) / 64 * width, [&](Words to) {
              self.lookups_16({tag, step}, {to, own, owned}, {out.span(), index, asked}, width);
            });
            return py::make_tuple(std::move(of_owned), to_array(std::move(out)));
          },
          arg("tag"), arg("step"), arg("tables").noconvert(), arg("owned"),
          arg("indices").noconvert(), arg("asked"), arg("width"))
      .def(
          "prepare",
          [](Products& self, std::uint64_t tag, const std::string& step) {
            const py::gil_scoped_release release;
            self.prepare({tag, step});
          },
          arg("tag"), arg("step"));
}

}  // namespace

void bind_ot(py::module_& module) {
  bind_options(module);
  py::class_<Sender, ot::CotSender>(module, "SoftSpokenSender", "Correlated transfers, as sender.")
      .def(py::init([](Channel channel, unsigned k, bool checked, std::size_t threads) {
             return std::make_unique<Sender>(std::move(channel),
                                             options_of("softspoken", k, checked), threads);
           }),
           arg("channel"), arg("k") = 4, arg("checked") = true, arg("threads") = 1)
      .def(
          "prepare",
          [](Sender& self, std::uint64_t tag, const std::string& step) {
            const py::gil_scoped_release release;
            self.prepare({tag, step});
          },
          arg("tag"), arg("step"));
  py::class_<Receiver, ot::CotReceiver>(
      module, "SoftSpokenReceiver",
      "Correlated transfers, as receiver; its first choice differs in the trees to cheat in.")
      .def(py::init([](Channel channel, unsigned k, bool checked, std::vector<std::size_t> cheat,
                       std::size_t threads) {
             return std::make_unique<Receiver>(std::move(channel),
                                               options_of("softspoken", k, checked),
                                               std::move(cheat), threads);
           }),
           arg("channel"), arg("k") = 4, arg("checked") = true,
           arg("cheat") = std::vector<std::size_t>{}, arg("threads") = 1);
  py::class_<Products> products(module, "OtProducts",
                                "Shares of products of numbers that each party alone knows.");
  products.def(py::init([](Channel channel, int party, const std::string& kind, unsigned k,
                           bool checked, std::size_t threads) {
                 return std::make_unique<Products>(std::move(channel), party,
                                                   options_of(kind, k, checked), threads);
               }),
               arg("channel"), arg("party"), arg("kind") = "softspoken", arg("k") = 4,
               arg("checked") = true, arg("threads") = 1);
  bind_vectors(products);
  bind_others(products);
  module.def(
      "softspoken_bytes",
      [](std::size_t n, unsigned k, bool checked) {
        return ot::softspoken_bytes(n, options_of("softspoken", k, checked));
      },
      arg("n"), arg("k") = 4, arg("checked") = true,
      "What the receiver of n transfers sends after the base OTs.");
}

}  // namespace petcore::bindings
