#include "bindings/bindings.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled core of petcore. Use petcore.mpc; this module has no stable API.";
  petcore::bindings::bind_errors(module);
  petcore::bindings::bind_group(module);
  petcore::bindings::bind_kernels(module);
  petcore::bindings::bind_net(module);
  petcore::bindings::bind_dealer(module);
  petcore::bindings::bind_ecdh(module);
  petcore::bindings::bind_oprf(module);
  petcore::bindings::bind_psi(module);
  petcore::bindings::bind_random(module);
  petcore::bindings::bind_silent(module);
  petcore::bindings::bind_ot(module);
  petcore::bindings::bind_store(module);
  petcore::bindings::bind_transfer(module);
  petcore::bindings::bind_session(module);
}
