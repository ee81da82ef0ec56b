// Intersection by Diffie-Hellman on a bare channel, for tests and benchmarks; sessions have psi.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <string>
#include <string_view>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "psi/ecdh.h"

namespace petcore::bindings {
namespace {

using py::arg;

py::tuple intersect_ecdh(net::Channel& link, const std::vector<py::bytes>& ids,
                         const std::string& answer, bool mine, bool theirs, std::size_t threads) {
  check(answer == "positions" || answer == "cardinality", Code::usage,
        "answer is \"positions\" or \"cardinality\"");
  std::vector<std::string_view> views(ids.begin(), ids.end());
  const psi::EcdhRequest request{
      answer == "positions" ? psi::Answer::positions : psi::Answer::cardinality, mine, theirs};
  psi::EcdhResult result;
  std::uint64_t worked_on = 0;
  {
    const py::gil_scoped_release release;
    Pool pool(threads);
    const psi::EcdhItems items{views.size(), [&](std::size_t i) {
                                 return std::as_bytes(std::span(views[i].data(), views[i].size()));
                               }};
    result = psi::intersect_ecdh(link, {0x65636468, "intersect (ecdh)"}, pool, items, request,
                                 [&](std::uint64_t done, std::uint64_t) { worked_on = done; });
  }
  return py::make_tuple(to_array(std::move(result.positions)), result.cardinality,
                        result.size_of_other, worked_on);
}

}  // namespace

void bind_ecdh(py::module_& module) {
  module.def("intersect_ecdh", intersect_ecdh, arg("channel"), arg("ids"), py::kw_only(),
             arg("answer") = "positions", arg("mine") = true, arg("theirs") = true,
             arg("threads") = 1,
             "(positions of own common ids, cardinality, size of the other's set, items done).");
  module.def("ecdh_tag_bytes", psi::tag_bytes, arg("size"), arg("size_of_other"));
}

}  // namespace petcore::bindings
