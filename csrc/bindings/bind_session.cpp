// The session and the dealer. Every call that waits or works releases the GIL.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <cmath>

#include "base/stop.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/stock.h"
#include "protocol/registry.h"
#include "session/session.h"
#include "session/sources.h"

namespace petcore::bindings {
namespace {

using session::Session;
using Channels = std::map<int, std::shared_ptr<net::Channel>>;
using OptionalChannel = std::optional<std::shared_ptr<net::Channel>>;

// released runs work without the GIL and hands its result to NumPy.
template <class F>
auto released(F&& work) {
  py::gil_scoped_release release;
  return work();
}

template <class T>
py::object maybe_array(std::optional<Buffer<T>>&& buffer) {
  if (!buffer) return py::none();
  return to_array(std::move(*buffer));
}

ConstWords words_of(const py::array& x) { return const_words(x, "x"); }
session::Bits bits_of(const py::array& x) { return const_bytes_u8(x, "x"); }

py::dict cost_dict(const protocol::Cost& cost) {
  py::dict correlations;
  for (const auto& [kind, units] : cost.correlations)
    correlations[correlation::kind_name(kind)] = units;
  py::dict out;
  out["rounds"] = cost.rounds;
  out["bytes"] = cost.bytes;
  out["offline_bytes"] = cost.offline_bytes;
  out["correlations"] = correlations;
  return out;
}

py::dict measured_dict(const Session& self) {
  py::dict out = cost_dict(self.measured());
  out["bytes_received"] = self.bytes_received();
  const correlation::Usage usage = self.usage();
  py::dict dealer;
  dealer["foreseen"] = usage.foreseen;
  dealer["discarded_bytes"] = usage.discarded_bytes;
  dealer["checked"] = usage.checked;
  dealer["checked_bytes"] = usage.checked_bytes;
  out["dealer"] = dealer;
  py::dict links;
  for (const auto& [name, counters] : self.link_counters()) {
    py::dict link;
    link["payload_sent"] = counters.payload_sent;
    link["payload_received"] = counters.payload_received;
    link["wire_sent"] = counters.wire_sent;
    link["wire_received"] = counters.wire_received;
    links[py::str(name)] = link;
  }
  out["links"] = links;
  return out;
}

using Redial = std::function<std::shared_ptr<net::Channel>(double, std::shared_ptr<Stop>)>;

// dial_by calls Python from a thread of the core: what that raises becomes an Error again.
correlation::DealerLink::Dial dial_by(const Redial& redial) {
  return [redial](net::milliseconds timeout, const std::shared_ptr<Stop>& stop) {
    const py::gil_scoped_acquire gil;
    try {
      return redial(static_cast<double>(timeout.count()) / 1000, stop);
    } catch (py::error_already_set& error) {
      const py::object code = py::getattr(error.value(), "code", py::str("internal"));
      const std::string name =
          py::isinstance<py::str>(code) ? code.cast<std::string>() : "internal";
      throw Error(code_from_name(name), py::str(error.value()).cast<std::string>());
    }
  };
}

std::unique_ptr<Session> make_session(
    const std::string& protocol, int party, std::vector<std::string> names, Channels peers,
    OptionalChannel dealer, session::Terms terms, std::size_t threads, std::string correlations,
    OptionalChannel offline, std::optional<std::shared_ptr<correlation::Store>> store,
    std::string maker, std::string at_zero, const std::optional<Redial>& redial,
    double redial_patience_s, double verify, const std::optional<ot::Options>& transfers) {
  session::Config config{protocol,
                         party,
                         std::move(names),
                         std::move(peers),
                         dealer.value_or(nullptr),
                         std::move(terms),
                         threads,
                         check_signals,
                         std::move(correlations),
                         offline.value_or(nullptr),
                         store.value_or(nullptr),
                         std::move(maker),
                         std::move(at_zero)};
  if (redial) config.redial = dial_by(*redial);
  config.redial_patience = net::milliseconds(std::llround(redial_patience_s * 1000));
  config.verify = verify;
  config.transfers = transfers.value_or(ot::options_for({}));
  return released([&] { return std::make_unique<Session>(std::move(config)); });
}

py::tuple take_input(Session& self, int owner, const std::optional<py::array>& values,
                     const std::string& meta, bool boolean) {
  const auto raw = std::as_bytes(std::span(meta.data(), meta.size()));
  session::Input input;
  if (boolean) {
    const auto known = values ? std::optional(const_bytes_u8(*values, "values")) : std::nullopt;
    input = released([&] { return self.input_bits(owner, known, raw); });
  } else {
    const auto known = values ? std::optional(const_words(*values, "values")) : std::nullopt;
    input = released([&] { return self.input(owner, known, raw); });
  }
  const py::bytes sent(reinterpret_cast<const char*>(input.meta.data()), input.meta.size());
  if (boolean) return py::make_tuple(to_array(std::move(input.bits)), sent);
  return py::make_tuple(to_array(std::move(input.share)), sent);
}

void bind_io(py::class_<Session>& type) {
  type.def(
          "input",
          [](Session& self, int owner, const std::optional<py::array>& values,
             const py::bytes& meta) { return take_input(self, owner, values, meta, false); },
          py::arg("owner"), py::arg("values"), py::arg("meta"))
      .def(
          "input_bits",
          [](Session& self, int owner, const std::optional<py::array>& values,
             const py::bytes& meta) { return take_input(self, owner, values, meta, true); },
          py::arg("owner"), py::arg("values"), py::arg("meta"))
      .def(
          "open",
          [](Session& self, const py::array& x, const std::string& label) {
            const ConstWords share = words_of(x);
            return to_array(released([&] { return self.open(share, label); }));
          },
          py::arg("share"), py::arg("label"))
      .def(
          "open_bits",
          [](Session& self, const py::array& x, const std::string& label) {
            const session::Bits share = bits_of(x);
            return to_array(released([&] { return self.open_bits(share, label); }));
          },
          py::arg("share"), py::arg("label"))
      .def(
          "reveal",
          [](Session& self, const py::array& x, int to, const std::string& label) {
            const ConstWords share = words_of(x);
            return maybe_array(released([&] { return self.reveal(share, to, label); }));
          },
          py::arg("share"), py::arg("to"), py::arg("label"))
      .def(
          "reveal_bits",
          [](Session& self, const py::array& x, int to, const std::string& label) {
            const session::Bits share = bits_of(x);
            return maybe_array(released([&] { return self.reveal_bits(share, to, label); }));
          },
          py::arg("share"), py::arg("to"), py::arg("label"))
      .def("ahead", &Session::ahead, py::arg("bytes"), py::call_guard<py::gil_scoped_release>())
      .def("checkpoint", &Session::checkpoint, py::arg("label"),
           py::call_guard<py::gil_scoped_release>())
      .def("bind_next", &Session::bind_next, py::arg("text"))
      .def(
          "common_key",
          [](const Session& self, const std::string& purpose) {
            const prg::Seed key = self.common_key(purpose);
            return py::bytes(reinterpret_cast<const char*>(key.data()), key.size());
          },
          py::arg("purpose"));
}

void bind_arithmetic(py::class_<Session>& type) {
  type.def(
          "add_public",
          [](Session& self, const py::array& x, const py::array& value) {
            const ConstWords share = words_of(x), known = const_words(value, "public");
            return to_array(released([&] { return self.add_public(share, known); }));
          },
          py::arg("share"), py::arg("public"))
      .def(
          "mul",
          [](Session& self, const py::array& x, const py::array& y, unsigned truncate) {
            const ConstWords a = words_of(x), b = const_words(y, "y");
            return to_array(released([&] { return self.mul(a, b, truncate); }));
          },
          py::arg("x"), py::arg("y"), py::arg("truncate") = 0)
      .def(
          "square",
          [](Session& self, const py::array& x, unsigned truncate) {
            const ConstWords a = words_of(x);
            return to_array(released([&] { return self.square(a, truncate); }));
          },
          py::arg("x"), py::arg("truncate") = 0)
      .def(
          "matmul",
          [](Session& self, const py::array& x, const py::array& y, std::uint64_t m,
             std::uint64_t k, std::uint64_t n, unsigned truncate) {
            const ConstWords a = words_of(x), b = const_words(y, "y");
            return to_array(released([&] { return self.matmul(a, b, m, k, n, truncate); }));
          },
          py::arg("x"), py::arg("y"), py::arg("m"), py::arg("k"), py::arg("n"),
          py::arg("truncate") = 0)
      .def(
          "truncate",
          [](Session& self, const py::array& x, unsigned bits, const std::string& mode) {
            check(mode == "probabilistic" || mode == "exact", Code::usage,
                  "truncation mode is \"probabilistic\" or \"exact\"");
            const ConstWords a = words_of(x);
            return to_array(released([&] { return self.truncate(a, bits, mode == "exact"); }));
          },
          py::arg("x"), py::arg("bits"), py::arg("mode"))
      .def(
          "function",
          [](Session& self, const py::array& x, const std::string& name, unsigned frac_bits) {
            const ConstWords a = words_of(x);
            return to_array(released([&] { return self.function(a, name, frac_bits); }));
          },
          py::arg("x"), py::arg("name"), py::arg("frac_bits"))
      .def(
          "mask",
          [](Session& self, const py::array& x, std::uint64_t rows, std::uint64_t columns) {
            const ConstWords a = words_of(x);
            return released([&] { return self.mask(a, rows, columns); });
          },
          py::arg("x"), py::arg("rows"), py::arg("columns"))
      .def(
          "masked_matmul",
          [](Session& self, const protocol::MaskedShare& masked, const py::array& y,
             std::uint64_t n, std::uint64_t row_begin, std::uint64_t row_end, bool transposed,
             unsigned truncate) {
            const ConstWords b = const_words(y, "y");
            return to_array(released([&] {
              return self.masked_matmul(masked, b, row_begin, row_end, transposed, n, truncate);
            }));
          },
          py::arg("masked"), py::arg("y"), py::arg("n"), py::arg("row_begin"), py::arg("row_end"),
          py::arg("transposed"), py::arg("truncate") = 0);
}

void bind_boolean(py::class_<Session>& type) {
  type.def(
          "xor_public",
          [](Session& self, const py::array& x, const py::array& value) {
            const session::Bits a = bits_of(x), b = const_bytes_u8(value, "public");
            return to_array(released([&] { return self.xor_public(a, b); }));
          },
          py::arg("bits"), py::arg("public_bits"))
      .def(
          "and_bits",
          [](Session& self, const py::array& x, const py::array& y) {
            const session::Bits a = bits_of(x), b = const_bytes_u8(y, "y");
            return to_array(released([&] { return self.and_bits(a, b); }));
          },
          py::arg("x"), py::arg("y"))
      .def(
          "mul_bit",
          [](Session& self, const py::array& bit, const py::array& x) {
            const session::Bits b = const_bytes_u8(bit, "bit");
            const ConstWords a = words_of(x);
            return to_array(released([&] { return self.mul_bit(b, a); }));
          },
          py::arg("bit"), py::arg("x"))
      .def(
          "select",
          [](Session& self, const py::array& bit, const py::array& x, const py::array& y) {
            const session::Bits b = const_bytes_u8(bit, "bit");
            const ConstWords a = words_of(x), c = const_words(y, "y");
            return to_array(released([&] { return self.select(b, a, c); }));
          },
          py::arg("bit"), py::arg("x"), py::arg("y"))
      .def(
          "b2a",
          [](Session& self, const py::array& bit) {
            const session::Bits b = const_bytes_u8(bit, "bits");
            return to_array(released([&] { return self.b2a(b); }));
          },
          py::arg("bits"));
}

void bind_comparison(py::class_<Session>& type) {
  type.def(
          "msb",
          [](Session& self, const py::array& x, unsigned width, unsigned drop) {
            const ConstWords a = words_of(x);
            return to_array(released([&] { return self.msb(a, {width, drop}); }));
          },
          py::arg("x"), py::arg("width") = 64, py::arg("drop") = 0)
      .def(
          "equal_zero",
          [](Session& self, const py::array& x, unsigned width) {
            const ConstWords a = words_of(x);
            return to_array(released([&] { return self.equal_zero(a, width); }));
          },
          py::arg("x"), py::arg("width") = 64)
      .def(
          "fss_sign",
          [](Session& self, const py::array& x, unsigned width, unsigned drop) {
            const ConstWords a = words_of(x);
            return to_array(released([&] { return self.fss_sign(a, {width, drop}); }));
          },
          py::arg("x"), py::arg("width") = 64, py::arg("drop") = 0)
      .def(
          "fss_zero",
          [](Session& self, const py::array& x, unsigned width) {
            const ConstWords a = words_of(x);
            return to_array(released([&] { return self.fss_zero(a, width); }));
          },
          py::arg("x"), py::arg("width") = 64)
      .def(
          "fss_interval",
          [](Session& self, const py::array& x, const py::array& low, const py::array& high,
             unsigned width) {
            const ConstWords a = words_of(x), from = const_words(low, "low"),
                             to = const_words(high, "high");
            return to_array(released([&] { return self.fss_interval(a, from, to, width); }));
          },
          py::arg("x"), py::arg("low"), py::arg("high"), py::arg("width") = 64)
      .def(
          "fss_select",
          [](Session& self, const py::array& x, const py::array& y, unsigned width, unsigned drop) {
            const ConstWords a = words_of(x), b = const_words(y, "y");
            return to_array(released([&] { return self.fss_select(a, b, {width, drop}); }));
          },
          py::arg("x"), py::arg("y"), py::arg("width") = 64, py::arg("drop") = 0)
      .def(
          "bits",
          [](Session& self, const py::array& x, unsigned width) {
            const ConstWords a = words_of(x);
            return to_array(released([&] { return self.bits(a, width); }));
          },
          py::arg("x"), py::arg("width") = 64);
}

void bind_state(py::class_<Session>& type) {
  type.def_property_readonly("party", &Session::party)
      .def_property_readonly("parties", [](const Session& self) { return self.names().size(); })
      .def_property_readonly("names", &Session::names)
      .def_property_readonly("protocol", &Session::protocol_name)
      .def_property_readonly("correlations", &Session::correlations)
      .def_property_readonly("transfers", &Session::transfers)
      .def_property_readonly("components", &Session::components)
      .def_property_readonly("step", &Session::steps)
      .def_property_readonly("round_trip",
                             [](const Session& self) { return self.round_trip().count() / 1e3; })
      .def_property_readonly("deals_keys", &Session::deals_keys)
      .def("cost", &measured_dict)
      .def(
          "declared",
          [](const Session& self, const std::string& op, const py::args& dims) {
            return cost_dict(self.declared(op, dims.cast<std::vector<std::uint64_t>>()));
          },
          py::arg("op"))
      .def(
          "fail",
          [](Session& self, const std::string& code, const std::string& text) {
            py::gil_scoped_release release;
            self.fail(code_from_name(code), text);
          },
          py::arg("code"), py::arg("text"))
      .def("close", &Session::close, py::call_guard<py::gil_scoped_release>());
}

}  // namespace

void bind_session(py::module_& module) {
  py::class_<protocol::MaskedShare, std::shared_ptr<protocol::MaskedShare>>(module, "Masked")
      .def_readonly("rows", &protocol::MaskedShare::rows)
      .def_readonly("columns", &protocol::MaskedShare::columns);
  py::class_<Session> type(module, "Session", py::release_gil_before_calling_cpp_dtor());
  type.def(py::init(&make_session), py::arg("protocol"), py::arg("party"), py::arg("names"),
           py::arg("peers"), py::arg("dealer"), py::arg("terms"), py::arg("threads") = 1,
           py::arg("correlations") = "dealer", py::arg("offline") = py::none(),
           py::arg("store") = py::none(), py::arg("maker") = "dealer",
           py::arg("at_zero") = "refuse", py::arg("redial") = py::none(),
           py::arg("redial_patience_s") = 20.0, py::arg("verify") = 0.0,
           py::arg("transfers") = py::none());
  bind_state(type);
  bind_io(type);
  bind_arithmetic(type);
  bind_boolean(type);
  bind_comparison(type);
  bind_intersection(type);
  bind_stock(type);
  module.def(
      "declared",
      [](const std::string& protocol, const std::string& op, const py::args& dims,
         const std::string& correlations, const std::optional<ot::Options>& transfers) {
        const auto made = protocol::find(protocol).make(
            session::setting_of(correlations, "dealer", transfers.value_or(ot::options_for({}))));
        return cost_dict(
            made->declared(protocol::op_from_name(op), dims.cast<std::vector<std::uint64_t>>()));
      },
      py::arg("protocol"), py::arg("op"), py::arg("correlations") = "dealer",
      py::arg("transfers") = py::none());
  module.def("protocols", [] {
    std::vector<py::tuple> out;
    for (const protocol::Row& row : protocol::rows())
      out.push_back(py::make_tuple(row.name, row.parties, row.adversary, row.ring));
    return out;
  });
}

}  // namespace petcore::bindings
