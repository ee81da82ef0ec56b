// Oblivious transfer of strings; for tests.
#include <memory>
#include <string>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "net/channel.h"
#include "ot/transfer.h"

namespace petcore::bindings {
namespace {

using ot::TransferReceiver;
using ot::TransferSender;
using py::arg;
using Channel = std::shared_ptr<net::Channel>;

template <class Call>
py::array run(std::size_t words, const Call& call) {
  Buffer<std::uint64_t> out(words);
  {
    const py::gil_scoped_release release;
    call(out.span());
  }
  return to_array(std::move(out));
}

// One method of the receiver: (tag, step, choices, n, width) gives n strings.
template <class Method>
void bind_receiver_method(py::class_<TransferReceiver>& receiver, const char* name, Method method) {
  receiver.def(
      name,
      [method](TransferReceiver& self, std::uint64_t tag, const std::string& step,
               const py::array& choices, std::size_t n, unsigned width) {
        const ConstWords own = const_words(choices, "choices");
        return run(n, [&](Words out) { (self.*method)({tag, step}, out, own, width); });
      },
      arg("tag"), arg("step"), arg("choices").noconvert(), arg("n"), arg("width"));
}

void bind_sender(py::module_& module) {
  py::class_<TransferSender>(module, "TransferSender", "Strings for the peer to choose from.")
      .def(py::init<Channel, ot::CotSender&>(), arg("channel"), arg("transfers"),
           py::keep_alive<1, 3>())
      .def(
          "random",
          [](TransferSender& self, std::uint64_t tag, const std::string& step, std::size_t n,
             unsigned width) {
            Buffer<std::uint64_t> second(n);
            py::array first =
                run(n, [&](Words out) { self.random({tag, step}, out, second.span(), width); });
            return py::make_tuple(std::move(first), to_array(std::move(second)));
          },
          arg("tag"), arg("step"), arg("n"), arg("width"))
      .def(
          "correlated",
          [](TransferSender& self, std::uint64_t tag, const std::string& step,
             const py::array& differences, unsigned width) {
            const ConstWords d = const_words(differences, "differences");
            return run(d.size(), [&](Words out) { self.correlated({tag, step}, out, d, width); });
          },
          arg("tag"), arg("step"), arg("differences").noconvert(), arg("width"))
      .def(
          "chosen",
          [](TransferSender& self, std::uint64_t tag, const std::string& step,
             const py::array& first, const py::array& second, unsigned width) {
            const ConstWords x0 = const_words(first, "first"), x1 = const_words(second, "second");
            const py::gil_scoped_release release;
            self.chosen({tag, step}, x0, x1, width);
          },
          arg("tag"), arg("step"), arg("first").noconvert(), arg("second").noconvert(),
          arg("width"))
      .def(
          "chosen_of_16",
          [](TransferSender& self, std::uint64_t tag, const std::string& step,
             const py::array& strings, unsigned width) {
            const ConstWords all = const_words(strings, "strings");
            const py::gil_scoped_release release;
            self.chosen_of_16({tag, step}, all, width);
          },
          arg("tag"), arg("step"), arg("strings").noconvert(), arg("width"));
}

}  // namespace

void bind_transfer(py::module_& module) {
  bind_sender(module);
  py::class_<TransferReceiver> receiver(module, "TransferReceiver", "The strings it chose.");
  receiver.def(py::init<Channel, ot::CotReceiver&>(), arg("channel"), arg("transfers"),
               py::keep_alive<1, 3>());
  bind_receiver_method(receiver, "random", &TransferReceiver::random);
  bind_receiver_method(receiver, "correlated", &TransferReceiver::correlated);
  bind_receiver_method(receiver, "chosen", &TransferReceiver::chosen);
  bind_receiver_method(receiver, "chosen_of_16", &TransferReceiver::chosen_of_16);
}

}  // namespace petcore::bindings
