// The dealer: who comes, what they may use, and the dealing itself. Waits release the GIL.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include "bindings/bindings.h"
#include "session/dealer_service.h"

namespace petcore::bindings {
namespace {

namespace py = pybind11;
using session::Account;
using session::Visitor;
using SharedChannel = std::shared_ptr<net::Channel>;
using ReleaseGil = py::call_guard<py::gil_scoped_release>;

py::dict units_dict(const std::map<correlation::Kind, std::uint64_t>& units) {
  py::dict out;
  for (const auto& [kind, count] : units) out[correlation::kind_name(kind)] = count;
  return out;
}

py::dict report_dict(const correlation::DealerReport& report) {
  py::dict out;
  out["requests"] = report.requests;
  out["bytes_sent"] = report.bytes_sent;
  out["correlations"] = units_dict(report.units);
  return out;
}

py::dict used_dict(const Account& account) {
  const Account::Used used = account.used();
  py::dict out;
  out["requests"] = used.requests;
  out["bytes"] = used.bytes;
  out["bytes_today"] = used.bytes_today;
  out["units"] = units_dict(used.units);
  return out;
}

std::string session_of(const Visitor& visitor) {
  for (const auto& [name, value] : visitor.terms)
    if (name == "session") return value;
  return {};
}

py::dict serve_dealer(const std::vector<std::string>& names, std::vector<SharedChannel> channels,
                      const net::Terms& terms, const std::string& protocol, std::size_t threads) {
  correlation::DealerReport report;
  {
    const py::gil_scoped_release release;
    session::Dealing dealing;
    dealing.threads = threads;
    dealing.interrupted = check_signals;
    report = session::serve_dealer(protocol, names, std::move(channels), terms, dealing);
  }
  return report_dict(report);
}

std::unique_ptr<Visitor> meet(
    SharedChannel channel,
    const std::vector<std::pair<std::vector<std::string>, net::Terms>>& pairs,
    const std::string& protocol) {
  std::vector<session::Offer> offers;
  for (const auto& [names, terms] : pairs)
    offers.push_back(session::make_offer(protocol, names, terms));
  const py::gil_scoped_release release;
  return session::meet(std::move(channel), offers);
}

py::dict deal(const Visitor& first, const Visitor& second, std::size_t threads,
              std::uint64_t work_per_message, std::uint64_t memory,
              std::vector<std::shared_ptr<Account>> accounts,
              const std::optional<std::shared_ptr<Stop>>& stop) {
  correlation::DealerReport report;
  {
    const py::gil_scoped_release release;
    report = session::deal(first, second,
                           {.threads = threads,
                            .work_per_message = work_per_message,
                            .memory = memory,
                            .accounts = std::move(accounts),
                            .stop = stop.value_or(nullptr)});
  }
  return report_dict(report);
}

}  // namespace

void bind_dealer(py::module_& module) {
  py::class_<Account, std::shared_ptr<Account>>(module, "Account",
                                                "What one client of the dealer used.")
      .def(py::init<std::string, std::uint64_t>(), py::arg("client"), py::arg("bytes_per_day") = 0)
      .def("used", &used_dict);
  py::class_<Visitor>(module, "Visitor", "One party as it introduced itself to the dealer.")
      .def_readonly("channel", &Visitor::channel)
      .def_readonly("pair", &Visitor::offer)
      .def_readonly("party", &Visitor::party)
      .def_readonly("again", &Visitor::again)
      .def_property_readonly("session", &session_of)
      .def_property_readonly("mark", [](const Visitor& visitor) {
        return py::bytes(reinterpret_cast<const char*>(visitor.mark.data()), visitor.mark.size());
      });
  module.def("meet", &meet, py::arg("channel"), py::arg("pairs"), py::arg("protocol") = "semi2k",
             "Hear who has come; pairs of names and terms are what the dealer serves.");
  module.def("deal", &deal, py::arg("first"), py::arg("second"), py::kw_only(),
             py::arg("threads") = 1, py::arg("work_per_message") = 0, py::arg("memory") = 0,
             py::arg("accounts") = std::vector<std::shared_ptr<Account>>{},
             py::arg("stop") = py::none(),
             "Deal to the two parties of one session until they say goodbye.");
  module.def("serve_dealer", &serve_dealer, py::arg("names"), py::arg("channels"), py::arg("terms"),
             py::arg("protocol") = "semi2k", py::arg("threads") = 1);
}

}  // namespace petcore::bindings
