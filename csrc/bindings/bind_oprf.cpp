// Oblivious pseudorandom functions; petcore.oprf wraps them.
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/bindings.h"
#include "group/expand.h"
#include "oprf/oprf.h"

namespace petcore::bindings {
namespace {

namespace py = pybind11;
using group::Scalar;
using oprf::Mode;
using py::arg;

ConstBytes view(const py::bytes& bytes) { return group::bytes_of(std::string_view(bytes)); }

py::bytes to_python(ConstBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Mode mode_of(const std::string& name) {
  if (name == "oprf") return Mode::oprf;
  if (name == "voprf") return Mode::voprf;
  check(name == "poprf", Code::usage, "mode is \"oprf\", \"voprf\" or \"poprf\"");
  return Mode::poprf;
}

// Texts holds a copy of what Python passed, wiped in the end.
class Texts {
 public:
  explicit Texts(const std::vector<py::bytes>& texts) {
    std::size_t size = 0;
    for (const py::bytes& text : texts) size += view(text).size();
    bytes_ = Buffer<std::byte>(size);
    std::size_t at = 0;
    for (const py::bytes& text : texts) {
      const ConstBytes from = view(text);
      std::copy(from.begin(), from.end(), bytes_.begin() + at);
      parts_.push_back(bytes_.span().subspan(at, from.size()));
      at += from.size();
    }
  }
  oprf::Inputs inputs() const { return parts_; }

 private:
  Buffer<std::byte> bytes_;
  std::vector<ConstBytes> parts_;
};

std::vector<py::bytes> outputs_of(const Buffer<std::byte>& all) {
  std::vector<py::bytes> out;
  for (std::size_t at = 0; at < all.size(); at += oprf::kOutputBytes)
    out.push_back(to_python(all.span().subspan(at, oprf::kOutputBytes)));
  return out;
}

// Key is a private key for one mode.
struct Key {
  Mode mode;
  Scalar scalar;

  py::tuple evaluate(const py::bytes& elements, const py::bytes& info,
                     const std::optional<py::bytes>& nonce, std::size_t threads) const {
    const ConstBytes blinded = view(elements), text = view(info);
    const Scalar hidden = nonce ? Scalar::decode(view(*nonce), Code::usage) : Scalar::random();
    oprf::Evaluation out;
    {
      const py::gil_scoped_release release;
      Pool pool(threads);
      out = oprf::evaluate(pool, mode, scalar, blinded, text, hidden);
    }
    return py::make_tuple(to_python(out.elements.span()), to_python(out.proof.span()));
  }

  std::vector<py::bytes> evaluate_known(const std::vector<py::bytes>& inputs, const py::bytes& info,
                                        std::size_t threads) const {
    const Texts texts(inputs);
    const ConstBytes text = view(info);
    Buffer<std::byte> out;
    {
      const py::gil_scoped_release release;
      Pool pool(threads);
      out = oprf::evaluate_known(pool, mode, scalar, texts.inputs(), text);
    }
    return outputs_of(out);
  }
};

// Asked is what a client keeps while its elements are with the server; good for one answer.
class Asked {
 public:
  Asked(const std::string& mode, const std::vector<py::bytes>& inputs,
        const std::optional<std::vector<py::bytes>>& blinds, std::size_t threads)
      : mode_(mode_of(mode)), texts_(inputs) {
    if (blinds)
      for (const py::bytes& blind : *blinds)
        blinds_.push_back(Scalar::decode(view(blind), Code::usage));
    const py::gil_scoped_release release;
    if (!blinds)
      for (std::size_t i = 0; i < texts_.inputs().size(); ++i) blinds_.push_back(Scalar::random());
    Pool pool(threads);
    elements_ = oprf::blind(pool, mode_, texts_.inputs(), blinds_);
  }

  py::bytes elements() const { return to_python(elements_.span()); }
  std::size_t size() const { return texts_.inputs().size(); }

  std::vector<py::bytes> finalize(const py::bytes& server_key, const py::bytes& evaluated,
                                  const py::bytes& proof, const py::bytes& info,
                                  std::size_t threads) {
    check(!finalized_, Code::usage, "these inputs have their outputs already; blind them anew");
    const ConstBytes key = view(server_key), answers = view(evaluated), shown = view(proof),
                     text = view(info);
    Buffer<std::byte> out;
    {
      const py::gil_scoped_release release;
      Pool pool(threads);
      out = oprf::finalize(pool, mode_, key, {texts_.inputs(), blinds_, elements_.span()}, answers,
                           shown, text);
    }
    finalized_ = true;
    blinds_.clear();
    return outputs_of(out);
  }

 private:
  const Mode mode_;
  const Texts texts_;
  std::vector<Scalar> blinds_;
  Buffer<std::byte> elements_;
  bool finalized_ = false;
};

Key random_key(const std::string& mode) { return {mode_of(mode), Scalar::random()}; }

Key derive_key(const std::string& mode, const py::bytes& seed, const py::bytes& info) {
  return {mode_of(mode), oprf::derive_key(mode_of(mode), view(seed), view(info))};
}

Key load_key(const std::string& mode, const py::bytes& scalar) {
  const Scalar key = Scalar::decode(view(scalar), Code::usage);
  check(!key.is_zero(), Code::usage, "a key is not zero");
  return {mode_of(mode), key};
}

}  // namespace

void bind_oprf(py::module_& module) {
  py::class_<Key>(module, "OprfKey", "A private key of RFC 9497, P256-SHA256, for one mode.")
      .def_static("random", random_key, arg("mode"))
      .def_static("derive", derive_key, arg("mode"), arg("seed"), arg("info"))
      .def_static("load", load_key, arg("mode"), arg("scalar"))
      .def("dump",
           [](const Key& key) {
             std::array<std::byte, group::kScalarBytes> out;
             key.scalar.encode(out);
             return to_python(out);
           })
      .def("public_key",
           [](const Key& key) {
             std::array<std::byte, group::kPointBytes> out;
             oprf::public_key(out, key.scalar);
             return to_python(out);
           })
      .def("evaluate", &Key::evaluate, arg("elements"), arg("info"), arg("nonce") = py::none(),
           arg("threads") = 1, "(elements, proof); a nonce is for test vectors alone.")
      .def("evaluate_known", &Key::evaluate_known, arg("inputs"), arg("info"), arg("threads") = 1);
  py::class_<Asked>(module, "OprfAsked", "Blinded inputs, on the client's side.")
      .def(py::init<const std::string&, const std::vector<py::bytes>&,
                    const std::optional<std::vector<py::bytes>>&, std::size_t>(),
           arg("mode"), arg("inputs"), arg("blinds") = py::none(), arg("threads") = 1,
           "Blinds are for test vectors alone.")
      .def_property_readonly("elements", &Asked::elements)
      .def("__len__", &Asked::size)
      .def("finalize", &Asked::finalize, arg("server_key"), arg("evaluated"), arg("proof"),
           arg("info"), arg("threads") = 1);
}

}  // namespace petcore::bindings
