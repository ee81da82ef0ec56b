// The operations of a session on sets of ids. Every call that waits or works releases the GIL.
#include <pybind11/stl.h>

#include <functional>
#include <optional>
#include <string>

#include "bindings/bindings.h"
#include "bindings/blocks.h"
#include "session/session.h"

namespace petcore::bindings {
namespace {

using py::arg;
using session::Session;

py::array tell(Session& self, const std::string& label, const py::array& numbers) {
  const ConstWords own = const_words(numbers, "numbers");
  Buffer<std::uint64_t> theirs;
  {
    const py::gil_scoped_release release;
    theirs = self.tell(label, own);
  }
  return to_array(std::move(theirs));
}

using Report = std::function<void(std::uint64_t, std::uint64_t)>;

// with_gil lets a Python function be called in the midst of work.
Report with_gil(const py::object& progress) {
  if (progress.is_none()) return {};
  return [progress](std::uint64_t done, std::uint64_t total) {
    const py::gil_scoped_acquire acquire;
    progress(done, total);
  };
}

// intersect returns (size, indices) to who learns, None otherwise.
py::object intersect(Session& self, const py::array& digests, std::uint64_t theirs,
                     const std::optional<int>& to, const std::string& method,
                     const std::string& label, std::uint64_t runs, bool cardinality,
                     const py::object& progress) {
  const Buffer<Block> own = copy_blocks(digests, "digests");
  const session::PsiTask task{label, method, theirs, to, runs, cardinality, with_gil(progress)};
  std::optional<session::PsiFound> found;
  {
    const py::gil_scoped_release release;
    found = self.intersect(task, own.span());
  }
  if (!found) return py::none();
  return py::make_tuple(found->size, to_array(std::move(found->indices)));
}

// intersect_shares returns (tags, columns one after another, own ids of the bins).
py::tuple intersect_shares(Session& self, const py::array& digests, std::uint64_t theirs,
                           int receiver, std::size_t num_columns, const py::array& columns,
                           const std::string& label) {
  const Buffer<Block> own = copy_blocks(digests, "digests");
  const ConstWords words = const_words(columns, "columns");
  session::CircuitTask task{label, receiver, theirs, num_columns, {}};
  check(words.size() == (self.party() == receiver ? 0 : num_columns * own.size()), Code::usage,
        "columns are the sender's, one word for each id and column");
  for (std::size_t at = 0; at < words.size(); at += own.size())
    task.columns.push_back(words.subspan(at, own.size()));
  psi::CircuitShares shares;
  {
    const py::gil_scoped_release release;
    shares = self.intersect_shares(task, own.span());
  }
  return py::make_tuple(to_array(std::move(shares.tags)), to_array(std::move(shares.columns)),
                        to_array(std::move(shares.ids_of_bins)));
}

}  // namespace

void bind_intersection(py::class_<Session>& type) {
  type.def_property_readonly("threads", &Session::threads)
      .def("psi_key",
           [](const Session& self) {
             const prg::Seed key = self.psi_key();
             return py::bytes(reinterpret_cast<const char*>(key.data()), key.size());
           })
      .def("tell", &tell, arg("label"), arg("numbers"))
      .def("intersect", &intersect, arg("digests"), arg("theirs"), arg("to"), arg("method"),
           arg("label"), arg("runs") = 1, arg("cardinality") = false, arg("progress") = py::none())
      .def("intersect_shares", &intersect_shares, arg("digests"), arg("theirs"), arg("receiver"),
           arg("num_columns"), arg("columns"), arg("label"));
}

}  // namespace petcore::bindings
