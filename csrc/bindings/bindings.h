// One function per concept; module.cpp calls them.
#pragma once

#include <pybind11/pybind11.h>

namespace petcore::bindings {

void bind_kernels(pybind11::module_& module);

}  // namespace petcore::bindings
