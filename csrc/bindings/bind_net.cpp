// Links between the parties.
#include <pybind11/stl.h>

#include "bindings/bindings.h"
#include "net/memory_channel.h"

namespace petcore::bindings {

namespace py = pybind11;

void bind_net(py::module_& module) {
  py::class_<net::Limits>(module, "Limits").def(py::init<>());
  py::class_<net::Channel, std::shared_ptr<net::Channel>>(module, "Channel")
      .def("close", &net::Channel::close, py::call_guard<py::gil_scoped_release>());
  module.def(
      "memory_channels",
      [](const std::string& a, const std::string& b, const net::Limits& limits) {
        auto [first, second] = net::make_memory_channels(a, b, limits);
        return std::pair(std::shared_ptr<net::Channel>(std::move(first)),
                         std::shared_ptr<net::Channel>(std::move(second)));
      },
      py::arg("name_a"), py::arg("name_b"), py::arg("limits") = net::Limits{});
}

}  // namespace petcore::bindings
