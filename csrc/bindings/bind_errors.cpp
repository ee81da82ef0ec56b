// Every petcore::Error becomes its class of petcore.errors.
#include "base/error.h"
#include "bindings/bindings.h"

namespace petcore::bindings {

namespace py = pybind11;

void check_signals() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void bind_errors(py::module_&) {
  py::register_local_exception_translator([](std::exception_ptr pending) {
    try {
      if (pending) std::rethrow_exception(pending);
    } catch (const Error& error) {
      const py::object made = py::module_::import("petcore.errors")
                                  .attr("from_core")(code_name(error.code()), error.what(),
                                                     error.party(), error.address(), error.step());
      PyErr_SetObject(py::type::handle_of(made).ptr(), made.ptr());
    }
  });
}

}  // namespace petcore::bindings
