// One function per concept; module.cpp calls them.
#pragma once

#include <pybind11/pybind11.h>

namespace petcore::session {
class Session;
}

namespace petcore::bindings {

// check_signals lets Ctrl-C end a wait; called without the GIL.
void check_signals();

void bind_dealer(pybind11::module_& module);
void bind_ecdh(pybind11::module_& module);
void bind_errors(pybind11::module_& module);
void bind_group(pybind11::module_& module);
void bind_kernels(pybind11::module_& module);
void bind_net(pybind11::module_& module);
void bind_ot(pybind11::module_& module);
void bind_oprf(pybind11::module_& module);
void bind_psi(pybind11::module_& module);
void bind_transfer(pybind11::module_& module);
void bind_random(pybind11::module_& module);
void bind_session(pybind11::module_& module);
void bind_intersection(pybind11::class_<session::Session>& type);
void bind_silent(pybind11::module_& module);
void bind_store(pybind11::module_& module);
// Kernels holds the local kernels as static functions: a class, so that one stub file shows all.
struct KernelsScope {};
using Kernels = pybind11::class_<KernelsScope>;
void bind_ring(Kernels& kernels);
void bind_prg(Kernels& kernels);
void bind_gates(Kernels& kernels);
void bind_gf128(Kernels& kernels);
void bind_ot_kernels(Kernels& kernels);
void bind_fss(Kernels& kernels);

}  // namespace petcore::bindings
