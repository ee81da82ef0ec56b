// Correlated transfers as Python classes, and what is silently made of them; for tests and
// benchmarks.
#include <pybind11/stl.h>

#include <memory>
#include <string>

#include "bindings/bindings.h"
#include "bindings/blocks.h"
#include "bindings/silent.h"
#include "net/channel.h"
#include "ot/silent.h"
#include "ot/vole.h"

namespace petcore::bindings {
namespace {

using py::arg;
using Channel = std::shared_ptr<net::Channel>;

template <class T>
py::function override_of(const T* object, const char* name) {
  const py::function found = py::get_override(object, name);
  check(static_cast<bool>(found), Code::usage, "a class of transfers lacks a method");
  return found;
}

void fill(std::span<Block> out, const py::object& from) {
  const Buffer<Block> blocks = copy_blocks(py::cast<py::array>(from), "blocks");
  check(blocks.size() == out.size(), Code::usage, "a wrong number of blocks");
  std::copy(blocks.begin(), blocks.end(), out.begin());
}

// A class in Python that derives from these stands in for transfers.
class PySender : public ot::CotSender {
 public:
  Block delta() const override {
    const py::gil_scoped_acquire acquire;
    Block delta;
    fill({&delta, 1}, override_of<ot::CotSender>(this, "delta")());
    return delta;
  }
  void extend(const net::Step& step, std::span<Block> q) override {
    const py::gil_scoped_acquire acquire;
    fill(q, override_of<ot::CotSender>(this, "extend")(step.tag, step.what, q.size()));
  }
};

class PyReceiver : public ot::CotReceiver {
 public:
  void extend(const net::Step& step, ConstWords choices, std::span<Block> t) override {
    const py::gil_scoped_acquire acquire;
    Buffer<std::uint64_t> bits(choices.size());
    std::copy(choices.begin(), choices.end(), bits.begin());
    fill(t, override_of<ot::CotReceiver>(this, "extend")(step.tag, step.what,
                                                         to_array(std::move(bits)), t.size()));
  }
};

// Borrowed passes calls on to transfers that Python owns.
struct BorrowedSender : ot::CotSender {
  explicit BorrowedSender(ot::CotSender& of) : cot(of) {}
  Block delta() const override { return cot.delta(); }
  void prepare(const net::Step& step) override { cot.prepare(step); }
  void extend(const net::Step& step, std::span<Block> q) override { cot.extend(step, q); }
  ot::CotSender& cot;
};
struct BorrowedReceiver : ot::CotReceiver {
  explicit BorrowedReceiver(ot::CotReceiver& of) : cot(of) {}
  void extend(const net::Step& step, ConstWords choices, std::span<Block> t) override {
    cot.extend(step, choices, t);
  }
  ot::CotReceiver& cot;
};

// The pool comes first: it outlives what uses it.
struct WithPool {
  explicit WithPool(std::size_t threads) : pool(threads) {}
  Pool pool;
};
struct Sender : WithPool, ot::SilentSender {
  Sender(Channel channel, ot::CotSender& base, std::size_t threads)
      : WithPool(threads),
        SilentSender(std::move(channel), std::make_unique<BorrowedSender>(base), pool) {}
};
struct Receiver : WithPool, ot::SilentReceiver {
  Receiver(Channel channel, ot::CotReceiver& base, std::size_t threads)
      : WithPool(threads),
        SilentReceiver(std::move(channel), std::make_unique<BorrowedReceiver>(base), pool) {}
};

// Held keeps what an extension refers to alive, with threads of its own.
template <class Extension, class Cot>
struct Held {
  Held(Channel link, Cot& cot, std::size_t threads)
      : channel(std::move(link)), pool(threads), extension(*channel, cot, pool) {}
  Channel channel;
  Pool pool;
  Extension extension;
};

using HeldVoleSender = Held<ot::VoleSender, ot::CotSender>;
using HeldVoleReceiver = Held<ot::VoleReceiver, ot::CotReceiver>;

py::array vole_send(HeldVoleSender& self, std::uint64_t tag, const std::string& step,
                    std::size_t n) {
  Buffer<Block> b(std::min(n, ot::kVoleMax + 1));
  {
    const py::gil_scoped_release release;
    self.extension.extend({tag, step}, b.span());
  }
  return block_array(b.span());
}

py::tuple vole_receive(HeldVoleReceiver& self, std::uint64_t tag, const std::string& step,
                       std::size_t n) {
  Buffer<Block> a(std::min(n, ot::kVoleMax + 1)), c(a.size());
  {
    const py::gil_scoped_release release;
    self.extension.extend({tag, step}, a.span(), c.span());
  }
  return py::make_tuple(block_array(a.span()), block_array(c.span()));
}

void bind_transfers(py::module_& module) {
  py::class_<ot::CotSender, PySender>(module, "CotSender",
                                      "Correlated transfers: delta, and q of every extend. Blocks "
                                      "are uint64 arrays of shape (n, 2).")
      .def(py::init<>())
      .def("delta",
           [](const ot::CotSender& self) {
             const Block delta = self.delta();
             return block_array({&delta, 1});
           })
      .def(
          "extend",
          [](ot::CotSender& self, std::uint64_t tag, const std::string& step, std::size_t n) {
            Buffer<Block> q(n);
            {
              const py::gil_scoped_release release;
              self.extend({tag, step}, q.span());
            }
            return block_array(q.span());
          },
          arg("tag"), arg("step"), arg("n"))
      .def(
          "reserve",
          [](ot::CotSender& self, std::uint64_t tag, const std::string& step, std::size_t n) {
            const py::gil_scoped_release release;
            self.reserve({tag, step}, n);
          },
          arg("tag"), arg("step"), arg("n"));
  py::class_<ot::CotReceiver, PyReceiver>(module, "CotReceiver",
                                          "Correlated transfers: t of every extend, for packed "
                                          "choices.")
      .def(py::init<>())
      .def(
          "extend",
          [](ot::CotReceiver& self, std::uint64_t tag, const std::string& step,
             const py::array& choices, std::size_t n) {
            const ConstWords bits = const_words(choices, "choices");
            check(bits.size() == (n + 63) / 64, Code::usage, "choices are packed, 64 to a word");
            Buffer<Block> t(n);
            {
              const py::gil_scoped_release release;
              self.extend({tag, step}, bits, t.span());
            }
            return block_array(t.span());
          },
          arg("tag"), arg("step"), arg("choices").noconvert(), arg("n"))
      .def(
          "reserve",
          [](ot::CotReceiver& self, std::uint64_t tag, const std::string& step, std::size_t n) {
            const py::gil_scoped_release release;
            self.reserve({tag, step}, n);
          },
          arg("tag"), arg("step"), arg("n"));
}

}  // namespace

void bind_silent(py::module_& module) {
  bind_transfers(module);
  bind_trees(module);
  py::class_<Sender, ot::CotSender>(module, "SilentSender", "Silent transfers, as sender.")
      .def(py::init<Channel, ot::CotSender&, std::size_t>(), arg("channel"), arg("base"),
           arg("threads") = 1, py::keep_alive<1, 3>());
  py::class_<Receiver, ot::CotReceiver>(module, "SilentReceiver", "Silent transfers, as receiver.")
      .def(py::init<Channel, ot::CotReceiver&, std::size_t>(), arg("channel"), arg("base"),
           arg("threads") = 1, py::keep_alive<1, 3>());
  py::class_<HeldVoleSender>(module, "VoleSender", "b = c ^ a delta over GF(2^128).")
      .def(py::init<Channel, ot::CotSender&, std::size_t>(), arg("channel"), arg("transfers"),
           arg("threads") = 1, py::keep_alive<1, 3>())
      .def("extend", vole_send, arg("tag"), arg("step"), arg("n"), "b, of shape (n, 2).");
  py::class_<HeldVoleReceiver>(module, "VoleReceiver", "b = c ^ a delta over GF(2^128).")
      .def(py::init<Channel, ot::CotReceiver&, std::size_t>(), arg("channel"), arg("transfers"),
           arg("threads") = 1, py::keep_alive<1, 3>())
      .def("extend", vole_receive, arg("tag"), arg("step"), arg("n"),
           "a and c, each of shape (n, 2).");
}

}  // namespace petcore::bindings
