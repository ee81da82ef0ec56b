// Keys of function secret sharing, for tests and benchmarks.
#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bits/bits.h"
#include "fss/tree.h"

namespace petcore::bindings {
namespace {

using py::arg;

fss::Shape shape_for(unsigned width, const std::string& form) {
  check(form == "below" || form == "point", Code::usage, "a form is \"below\" or \"point\"");
  check(width >= 1 && width <= 64, Code::usage, "a key is for 1 to 64 bits");
  return {width, form == "below" ? fss::Form::below : fss::Form::point};
}

py::array make_keys(const py::array& alpha, const py::array& roots0, const py::array& roots1,
                    const py::array& numbers, unsigned width, const std::string& form,
                    const std::string& target) {
  const ConstWords secret = const_words(alpha, "alpha"), r0 = const_words(roots0, "roots0"),
                   r1 = const_words(roots1, "roots1"), labels = const_words(numbers, "numbers");
  const fss::Shape shape = shape_for(width, form);
  Buffer<std::uint64_t> out(secret.size() * fss::kBlockWords * shape.blocks());
  {
    const py::gil_scoped_release release;
    fss::make({shape, labels, out.span()}, secret, r0, r1, target);
  }
  return to_array(std::move(out));
}

py::array evaluate_keys(const py::array& x, int party, const py::array& roots,
                        const py::array& keys, const py::array& numbers, unsigned width,
                        const std::string& form, const std::string& target) {
  const ConstWords at = const_words(x, "x"), root = const_words(roots, "roots"),
                   corrections = const_words(keys, "keys"),
                   labels = const_words(numbers, "numbers");
  const fss::Shape shape = shape_for(width, form);
  Buffer<std::uint64_t> out(bits::num_words(at.size()));
  {
    const py::gil_scoped_release release;
    fss::evaluate(out.span(), {shape, labels, corrections}, at, party, root, target);
  }
  return to_array(std::move(out));
}

}  // namespace

void bind_fss(Kernels& m) {
  m.def_static("make_keys", make_keys, arg("alpha").noconvert(), arg("roots0").noconvert(),
               arg("roots1").noconvert(), arg("numbers").noconvert(), arg("width"), arg("form"),
               arg("target") = "");
  m.def_static("evaluate_keys", evaluate_keys, arg("x").noconvert(), arg("party"),
               arg("roots").noconvert(), arg("keys").noconvert(), arg("numbers").noconvert(),
               arg("width"), arg("form"), arg("target") = "");
}

}  // namespace petcore::bindings
