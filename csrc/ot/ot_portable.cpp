#include "ot/ot_kernels.h"

namespace petcore::ot {
namespace {
#include "ot/ot_core.h"
}  // namespace

constinit const Kernels* const kPortable = &kKernels;

}  // namespace petcore::ot
