// Links between the parties. Payloads as bytes are for tests; sessions use channels from C++.
#include <openssl/crypto.h>
#include <pybind11/stl.h>

#include <chrono>
#include <cmath>

#include "base/stop.h"
#include "bindings/bindings.h"
#include "net/handshake.h"
#include "net/memory_channel.h"
#include "net/mesh.h"
#include "net/shaping.h"
#include "net/tls_channel.h"
#include "net/tls_listener.h"

namespace petcore::bindings {

namespace py = pybind11;

namespace {

using net::Channel;
using net::Limits;
using net::milliseconds;
using ReleaseGil = py::call_guard<py::gil_scoped_release>;
using SharedChannel = std::shared_ptr<Channel>;

constexpr double kSecondsMax = 1e6;

milliseconds duration(double seconds, const char* name) {
  if (!(seconds >= 0 && seconds <= kSecondsMax))
    throw Error(Code::usage, std::string(name) + " must be between 0 and 1e6 seconds");
  return milliseconds(std::llround(std::ceil(seconds * 1000)));
}

double seconds(milliseconds time) { return static_cast<double>(time.count()) / 1000; }

ConstBytes view(std::string_view bytes) {
  return std::as_bytes(std::span(bytes.data(), bytes.size()));
}

py::bytes to_bytes(ConstBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Limits make_limits(std::uint32_t frame_bytes_max, std::uint32_t message_bytes_max,
                   std::size_t inbox_bytes_max, double deadline_s, double silence_s,
                   double heartbeat_s) {
  return {frame_bytes_max,
          message_bytes_max,
          inbox_bytes_max,
          duration(deadline_s, "deadline_s"),
          duration(silence_s, "silence_s"),
          duration(heartbeat_s, "heartbeat_s")};
}

py::dict counters(const Channel& channel) {
  const net::Counters c = channel.counters();
  py::dict out;
  out["payload_sent"] = c.payload_sent;
  out["payload_received"] = c.payload_received;
  out["wire_sent"] = c.wire_sent;
  out["wire_received"] = c.wire_received;
  out["frames_sent"] = c.frames_sent;
  out["frames_received"] = c.frames_received;
  return out;
}

void shape(Channel& channel, double round_trip_s, double bandwidth_bits) {
  if (!(round_trip_s >= 0 && round_trip_s <= kSecondsMax))
    throw Error(Code::usage, "round_trip_s must be between 0 and 20 seconds");
  channel.shape(
      {std::chrono::nanoseconds(std::llround(round_trip_s / 2 * 1e9)), bandwidth_bits / 8});
}

// exchange sends payload and receives num_bytes at the same time.
py::bytes exchange(Channel& channel, std::uint64_t tag, const std::string& step,
                   const py::bytes& payload, std::size_t num_bytes) {
  auto out = py::reinterpret_steal<py::bytes>(
      PyBytes_FromStringAndSize(nullptr, static_cast<py::ssize_t>(num_bytes)));
  if (!out) throw py::error_already_set();
  auto* const memory = reinterpret_cast<std::byte*>(PyBytes_AS_STRING(out.ptr()));
  const std::string_view sent = payload;
  {
    const py::gil_scoped_release released;
    channel.exchange({tag, step}, view(sent), {memory, num_bytes});
  }
  return out;
}

void bind_limits(py::module_& module) {
  const Limits standard;
  py::class_<Limits>(module, "Limits", "Bounds of a channel; times in seconds.")
      .def(py::init(&make_limits), py::kw_only(),
           py::arg("frame_bytes_max") = standard.frame_bytes_max,
           py::arg("message_bytes_max") = standard.message_bytes_max,
           py::arg("inbox_bytes_max") = standard.inbox_bytes_max,
           py::arg("deadline_s") = seconds(standard.deadline),
           py::arg("silence_s") = seconds(standard.silence),
           py::arg("heartbeat_s") = seconds(standard.heartbeat))
      .def_readonly("frame_bytes_max", &Limits::frame_bytes_max)
      .def_readonly("message_bytes_max", &Limits::message_bytes_max)
      .def_readonly("inbox_bytes_max", &Limits::inbox_bytes_max)
      .def_property_readonly("deadline_s", [](const Limits& l) { return seconds(l.deadline); })
      .def_property_readonly("silence_s", [](const Limits& l) { return seconds(l.silence); })
      .def_property_readonly("heartbeat_s", [](const Limits& l) { return seconds(l.heartbeat); });
}

void bind_messages(py::class_<Channel, SharedChannel>& channel) {
  channel
      .def(
          "send_message",
          [](Channel& c, std::uint64_t tag, const std::string& step, std::string_view payload) {
            const py::gil_scoped_release released;
            c.send_message({tag, step}, view(payload));
          },
          py::arg("tag"), py::arg("step"), py::arg("payload"))
      .def(
          "recv_message",
          [](Channel& c, std::uint64_t tag, const std::string& step) {
            std::vector<std::byte> payload;
            {
              const py::gil_scoped_release released;
              payload = c.recv_message({tag, step});
            }
            return to_bytes(payload);
          },
          py::arg("tag"), py::arg("step"))
      .def(
          "next_message",
          [](Channel& c,
             const std::string& step) -> std::optional<std::pair<std::uint64_t, py::bytes>> {
            std::optional<Channel::Message> message;
            {
              const py::gil_scoped_release released;
              message = c.next_message({0, step});
            }
            if (!message) return std::nullopt;
            return std::pair(message->tag, to_bytes(message->payload));
          },
          py::arg("step"), "The next message of any tag; None after the peer's goodbye.");
}

void bind_channel(py::module_& module) {
  py::class_<Channel, SharedChannel> channel(
      module, "Channel", "An authenticated, framed link to one peer. One thread at a time.");
  channel.def_property_readonly("peer_name", [](const Channel& c) { return c.peer().name; })
      .def_property_readonly("peer_address", [](const Channel& c) { return c.peer().address; })
      .def_property_readonly("transport", &Channel::transport)
      .def("binding", [](const Channel& c) { return to_bytes(c.binding()); })
      .def("counters", &counters)
      .def("set_limits", &Channel::set_limits, py::arg("limits"), ReleaseGil())
      .def("shape", &shape, py::kw_only(), py::arg("round_trip_s") = 0.0,
           py::arg("bandwidth_bits_per_s") = 0.0,
           "Delay what this end sends by half of a round trip, and bound its rate; for trials.",
           ReleaseGil())
      .def("serve", &Channel::serve, ReleaseGil())
      .def("called", &Channel::called, ReleaseGil())
      .def("left", &Channel::left, ReleaseGil())
      .def("close", &Channel::close, ReleaseGil())
      .def(
          "abort",
          [](Channel& c, const std::string& code, const std::string& text,
             const std::string& step) { c.abort(code_from_name(code), text, {0, step}); },
          py::arg("code"), py::arg("text"), py::arg("step"), ReleaseGil())
      .def("exchange", &exchange, py::arg("tag"), py::arg("step"), py::arg("payload"),
           py::arg("num_bytes"))
      .def(
          "send",
          [](Channel& c, std::uint64_t tag, const std::string& step, const py::bytes& payload) {
            exchange(c, tag, step, payload, 0);
          },
          py::arg("tag"), py::arg("step"), py::arg("payload"))
      .def(
          "recv",
          [](Channel& c, std::uint64_t tag, const std::string& step, std::size_t num_bytes) {
            return exchange(c, tag, step, py::bytes(), num_bytes);
          },
          py::arg("tag"), py::arg("step"), py::arg("num_bytes"));
  bind_messages(channel);
}

void bind_memory(py::module_& module) {
  module.def(
      "memory_channels",
      [](const std::string& a, const std::string& b, const Limits& limits) {
        auto [first, second] = net::make_memory_channels(a, b, limits);
        return std::pair(SharedChannel(std::move(first)), SharedChannel(std::move(second)));
      },
      py::arg("name_a"), py::arg("name_b"), py::arg_v("limits", Limits{}, "Limits()"),
      "Two ends of a link within this process: the one a holds, then the one b holds.");
  py::class_<net::MemoryEnd>(module, "MemoryEnd", "Raw bytes towards a channel, for tests.")
      .def("write",
           [](net::MemoryEnd& end, std::string_view bytes) { return end.write_some(view(bytes)); })
      .def("read",
           [](net::MemoryEnd& end, std::size_t size_max) {
             std::vector<std::byte> out(size_max);
             out.resize(end.read_some(out));
             return to_bytes(out);
           })
      .def("close", &net::MemoryEnd::shut);
  module.def(
      "memory_channel_with_raw_peer",
      [](const std::string& peer_name, const Limits& limits, const std::string& binding) {
        std::array<std::byte, 32> known{};
        std::copy_n(view(binding).begin(), std::min(binding.size(), known.size()), known.begin());
        auto [mine, raw] =
            net::MemoryEnd::make_pair(binding.empty() ? std::nullopt : std::optional(known));
        return std::pair(
            SharedChannel(net::make_memory_channel(std::move(mine), peer_name, limits)),
            std::move(raw));
      },
      py::arg("peer_name"), py::arg_v("limits", Limits{}, "Limits()"), py::arg("binding") = "",
      "A channel, and the far end of its link as raw bytes; for tests.");
}

void bind_mesh(py::module_& module) {
  using net::Mesh;
  py::class_<Mesh>(module, "Mesh", "The links of one session, kept alive by one thread.")
      .def(py::init<std::map<int, SharedChannel>>(), py::arg("channels"), ReleaseGil())
      .def("check", &Mesh::check, "Raise the first failure of any link.")
      .def(
          "abort_all",
          [](Mesh& mesh, const std::string& code, const std::string& text,
             const std::string& step) {
            mesh.abort_all(Error(code_from_name(code), text), {0, step});
          },
          py::arg("code"), py::arg("text"), py::arg("step"), ReleaseGil())
      .def("close_all", &Mesh::close_all, ReleaseGil());
}

void bind_tls(py::module_& module) {
  using net::TlsListener;
  py::class_<TlsListener>(module, "TlsListener", "Waits for expected peers at one TCP port.")
      .def(py::init([](const std::string& host, std::uint16_t port, const std::string& certificate,
                       const std::string& key) {
             return std::make_unique<TlsListener>(net::Address{host, port},
                                                  net::Identity{certificate, key});
           }),
           py::arg("host"), py::arg("port"), py::arg("certificate_pem"), py::arg("private_key_pem"))
      .def_property_readonly("port", [](const TlsListener& l) { return l.address().port; })
      .def("close", &TlsListener::close)
      .def(
          "accept",
          [](TlsListener& listener, const std::vector<std::pair<std::string, std::string>>& peers,
             double timeout_s, const Limits& limits) {
            std::vector<net::Pin> pins;
            for (const auto& [name, fingerprint] : peers) pins.push_back({name, fingerprint});
            const milliseconds timeout = duration(timeout_s, "timeout_s");
            const py::gil_scoped_release released;
            return SharedChannel(listener.accept(pins, timeout, limits, check_signals));
          },
          py::arg("peers"), py::arg("timeout_s"), py::arg_v("limits", Limits{}, "Limits()"),
          "A channel to the first of the peers, pairs of name and fingerprint, that calls.");
  module.def(
      "connect_tls",
      [](const std::string& host, std::uint16_t port, const std::string& certificate,
         const std::string& key, const std::string& peer, const std::string& fingerprint,
         double timeout_s, const Limits& limits, const std::optional<std::shared_ptr<Stop>>& stop) {
        const milliseconds timeout = duration(timeout_s, "timeout_s");
        const auto interrupt = [&] {
          if (stop && (*stop)->is_set()) throw Error(Code::aborted, "told to stop");
          check_signals();
        };
        const py::gil_scoped_release released;
        return SharedChannel(net::connect_tls({host, port}, {certificate, key}, {peer, fingerprint},
                                              timeout, limits, interrupt));
      },
      py::arg("host"), py::arg("port"), py::arg("certificate_pem"), py::arg("private_key_pem"),
      py::arg("peer_name"), py::arg("peer_fingerprint_hex"), py::arg("timeout_s"),
      py::arg_v("limits", Limits{}, "Limits()"), py::arg("stop") = py::none());
}

}  // namespace

void bind_net(py::module_& module) {
  py::class_<Stop, std::shared_ptr<Stop>>(module, "Stop", "Ends a wait of another thread.")
      .def(py::init<>())
      .def("set", &Stop::set)
      .def_property_readonly("is_set", &Stop::is_set);
  bind_limits(module);
  bind_channel(module);
  bind_memory(module);
  bind_mesh(module);
  bind_tls(module);
  module.def(
      "openssl_version", [] { return OpenSSL_version(OPENSSL_VERSION); },
      "The OpenSSL that the links use.");
  module.def(
      "agree",
      [](Channel& channel, const net::Terms& terms, const std::string& step) {
        net::agree(channel, terms, {0, step});
      },
      py::arg("channel"), py::arg("terms"), py::arg("step"), ReleaseGil());
}

}  // namespace petcore::bindings
