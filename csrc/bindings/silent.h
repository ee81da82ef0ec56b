// The parts of bind_silent.cpp that have files of their own.
#pragma once

#include <pybind11/pybind11.h>

namespace petcore::bindings {

// SilentScope holds local functions as static ones, so that one stub file shows all.
struct SilentScope {};
void bind_trees(pybind11::module_& module);

}  // namespace petcore::bindings
