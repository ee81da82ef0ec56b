// A store of correlations made ahead, as a session takes it and as people look at it.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include "bindings/bindings.h"
#include "bindings/stock.h"
#include "correlation/store.h"
#include "protocol/registry.h"
#include "session/session.h"
#include "session/sources.h"

namespace petcore::bindings {
namespace {

namespace py = pybind11;
using correlation::Store;
using session::Session;

// Kind by name, sizes, units, longest chunk.
using OrderTuple =
    std::tuple<std::string, std::vector<std::uint64_t>, std::uint64_t, std::uint64_t>;

correlation::Order order_of(const OrderTuple& tuple) {
  const auto& [kind, dims, units, chunk] = tuple;
  correlation::Order order{{.kind = correlation::kind_from_name(kind), .chunk = chunk}, units};
  check(dims.size() <= order.request.dims.size(), Code::usage,
        "a kind of correlation has at most 7 sizes");
  std::copy(dims.begin(), dims.end(), order.request.dims.begin());
  correlation::check_sizes(order.request);
  return order;
}

py::dict status_dict(const correlation::StoreStatus& status) {
  py::list pools;
  for (const correlation::PoolStatus& pool : status.pools) {
    py::dict entry;
    entry["pool"] = correlation::pool_text(pool.pool);
    entry["kind"] = correlation::kind_name(pool.pool.kind);
    entry["dims"] = pool.pool.dims;
    entry["units"] = pool.units;
    entry["target"] = pool.target;
    entry["mark"] = pool.mark;
    entry["online"] = pool.online;
    entry["low"] = pool.low;
    pools.append(entry);
  }
  py::dict out;
  out["store"] = correlation::hex(status.ledger.store);
  out["generation"] = status.ledger.generation;
  out["sessions"] = status.ledger.sessions;
  out["owner"] = status.ledger.owner;
  out["peer"] = status.ledger.peer;
  out["pools"] = pools;
  out["damaged"] = status.damaged;
  out["holder"] = status.holder;
  return out;
}

// A note may be told from inside a call that has let the GIL go.
std::function<void(const std::string&)> teller(const py::object& tell) {
  if (tell.is_none()) return {};
  // The last owner may be a thread without the GIL.
  const std::shared_ptr<py::object> held(new py::object(tell), [](py::object* object) {
    const py::gil_scoped_acquire gil;
    delete object;
  });
  return [held](const std::string& text) {
    const py::gil_scoped_acquire gil;
    (*held)(text);
  };
}

std::shared_ptr<Store> open_store(const std::string& path, const std::string& key,
                                  std::uint32_t party, const std::string& owner,
                                  const std::string& peer, double low, const std::string& trace,
                                  const py::object& tell) {
  correlation::StoreOptions options{
      path, correlation::StoreKey(key), party, owner, peer, low, trace, teller(tell)};
  const py::gil_scoped_release release;
  return std::make_shared<Store>(std::move(options));
}

// What an operation takes from a store, as orders.
std::vector<OrderTuple> stock_for(const std::string& protocol, const std::string& op,
                                  const py::args& dims, const std::string& maker) {
  const auto made = protocol::find(protocol).make(session::setting_of(maker));
  const protocol::Cost cost =
      made->declared(protocol::op_from_name(op), dims.cast<std::vector<std::uint64_t>>());
  std::vector<OrderTuple> orders;
  for (const auto& [pool, stocked] : cost.stock)
    orders.emplace_back(correlation::kind_name(pool.kind),
                        std::vector(pool.dims.begin(), pool.dims.end()), stocked.units,
                        stocked.chunk);
  return orders;
}

// What an operation takes from the store of a session: pools, as status_dict names them, and units.
std::vector<std::tuple<std::string, std::uint64_t>> takes(const Session& self,
                                                          const std::string& op,
                                                          const py::args& dims) {
  std::vector<std::tuple<std::string, std::uint64_t>> out;
  const auto cost = self.declared(op, dims.cast<std::vector<std::uint64_t>>());
  for (const auto& [pool, stocked] : cost.stock)
    out.emplace_back(correlation::pool_text(pool), stocked.units);
  return out;
}

void stock_up(Session& self, const std::vector<OrderTuple>& tuples, const py::object& progress) {
  std::vector<correlation::Order> orders;
  for (const OrderTuple& tuple : tuples) orders.push_back(order_of(tuple));
  const auto report = [&](std::uint64_t done, std::uint64_t all) {
    if (progress.is_none()) return;
    const py::gil_scoped_acquire gil;
    progress(done, all);
  };
  const py::gil_scoped_release release;
  self.stock_up(orders, report);
}

}  // namespace

void bind_stock(py::class_<Session>& type) {
  type.def("stock",
           [](const Session& self) -> std::optional<py::dict> {
             const auto status = self.stock();
             if (!status) return std::nullopt;
             return status_dict(*status);
           })
      .def("takes", &takes, py::arg("op"))
      .def("stock_up", &stock_up, py::arg("orders"), py::arg("progress") = py::none());
}

void bind_store(py::module_& module) {
  py::class_<Store, std::shared_ptr<Store>>(module, "Store",
                                            py::release_gil_before_calling_cpp_dtor())
      .def(py::init(&open_store), py::arg("path"), py::arg("key"), py::arg("party"),
           py::arg("owner"), py::arg("peer"), py::arg("low") = 0.25, py::arg("trace") = "",
           py::arg("tell") = py::none())
      .def("status", [](const Store& self) { return status_dict(self.status()); })
      .def("discard", &Store::discard, py::call_guard<py::gil_scoped_release>())
      .def(
          "close", [](Store& self) { self.close(false); }, py::call_guard<py::gil_scoped_release>())
      .def_static(
          "inspect",
          [](const std::string& path, const std::string& key, double low) {
            return status_dict(Store::inspect(path, correlation::StoreKey(key), low));
          },
          py::arg("path"), py::arg("key"), py::arg("low") = 0.25);
  module.def("stock_for", &stock_for, py::arg("protocol"), py::arg("op"),
             py::arg("maker") = "dealer");
}

}  // namespace petcore::bindings
