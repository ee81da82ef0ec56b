// One function per concept; module.cpp calls them.
#pragma once

#include <pybind11/pybind11.h>

namespace petcore::bindings {

// check_signals lets Ctrl-C end a wait; called without the GIL.
void check_signals();

void bind_errors(pybind11::module_& module);
void bind_kernels(pybind11::module_& module);
void bind_net(pybind11::module_& module);
void bind_session(pybind11::module_& module);
// bind_ring fills the submodule of the kernels.
void bind_ring(pybind11::module_& kernels);

}  // namespace petcore::bindings
