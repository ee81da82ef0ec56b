#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "simd/cpu.h"

namespace petcore::bindings {

void bind_kernels(py::module_& module) {
  auto kernels = module.def_submodule("kernels", "Local kernels, for tests and benchmarks.");
  kernels.def("cpu", [] {
    const simd::Cpu& c = simd::cpu();
    py::dict features;
    features["avx2"] = c.avx2;
    features["aesni"] = c.aesni;
    features["vaes"] = c.vaes;
    features["avx512"] = c.avx512;
    features["neon"] = c.neon;
    features["neon_aes"] = c.neon_aes;
    return features;
  });
}

}  // namespace petcore::bindings
