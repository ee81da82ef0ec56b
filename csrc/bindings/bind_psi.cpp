// What private set intersection does before anything is sent: ids, digests, the key-value store.
#include <pybind11/stl.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/blocks.h"
#include "psi/circuit.h"
#include "psi/cuckoo.h"
#include "psi/digest.h"
#include "psi/fingerprints.h"
#include "psi/okvs.h"
#include "psi/traffic.h"

namespace petcore::bindings {
namespace {

using py::arg;
using Numbers = std::array<std::size_t, 4>;  // an OkvsShape

prg::Seed seed_of(const py::bytes& bytes) {
  const std::string_view raw = bytes;
  check(raw.size() == sizeof(prg::Seed), Code::usage, "a seed has 16 bytes");
  prg::Seed seed;
  std::copy_n(reinterpret_cast<const std::byte*>(raw.data()), raw.size(), seed.begin());
  return seed;
}

psi::OkvsShape shape_of_numbers(const Numbers& numbers) {
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

[[noreturn]] void refuse_id(std::size_t index, const std::string& why) {
  throw Error(Code::usage, "the id with index " + std::to_string(index) + " " + why);
}

// text_of gives an id's bytes, which live as long as the item; a number's as decimal digits, kept
// alive in `made`.
std::string_view text_of(PyObject* item, std::size_t index, std::vector<py::object>& made) {
  Py_ssize_t size = 0;
  if (PyBytes_Check(item))
    return {PyBytes_AS_STRING(item), static_cast<std::size_t>(PyBytes_GET_SIZE(item))};
  if (PyIndex_Check(item) != 0 && !PyBool_Check(item)) {
    made.push_back(py::str(py::reinterpret_steal<py::object>(PyNumber_Index(item))));
    item = made.back().ptr();
  }
  if (!PyUnicode_Check(item))
    refuse_id(index, std::string("is of type ") + Py_TYPE(item)->tp_name +
                         "; ids are str, bytes or whole numbers");
  const char* text = PyUnicode_AsUTF8AndSize(item, &size);
  if (text == nullptr) {
    PyErr_Clear();
    refuse_id(index, "is text that UTF-8 cannot express (a lone surrogate)");
  }
  return {text, static_cast<std::size_t>(size)};
}

// pack_ids lays ids one after the other; a number counts as its decimal digits, text as UTF-8.
// `first` is the index of the first of them, for errors.
py::tuple pack_ids(const py::object& list, std::size_t first) {
  check(PyList_Check(list.ptr()), Code::usage, "pack_ids takes a list");
  const auto ids = py::reinterpret_borrow<py::list>(list);
  std::vector<py::object> made;
  std::vector<std::string_view> texts(ids.size());
  Buffer<std::uint64_t> ends(ids.size());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts[i] = text_of(PyList_GET_ITEM(ids.ptr(), static_cast<Py_ssize_t>(i)), first + i, made);
    ends[i] = sum += texts[i].size();
  }
  Buffer<std::uint8_t> bytes(sum);
  std::uint8_t* to = bytes.data();
  for (const std::string_view text : texts) to = std::copy(text.begin(), text.end(), to);
  return py::make_tuple(to_array(std::move(bytes)), to_array(std::move(ends)));
}

template <class Int>
py::tuple pack_numbers(std::span<const Int> ids) {
  std::vector<char> text;
  text.reserve(8 * ids.size());
  Buffer<std::uint64_t> ends(ids.size());
  std::array<char, 24> digits;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), ids[i]).ptr;
    text.insert(text.end(), digits.data(), end);
    ends[i] = text.size();
  }
  Buffer<std::uint8_t> bytes(text.size());
  std::copy(text.begin(), text.end(), bytes.begin());
  return py::make_tuple(to_array(std::move(bytes)), to_array(std::move(ends)));
}

py::array digest_ids(const py::array& bytes, const py::array& ends, const py::bytes& key,
                     std::size_t threads) {
  const auto raw = const_bytes_u8(bytes, "bytes");
  const ConstWords borders = const_words(ends, "ends");
  const prg::Seed seed = seed_of(key);
  Buffer<Block> out(borders.size());
  {
    const py::gil_scoped_release release;
    Pool pool(threads);
    psi::digest_ids(out.span(), {std::as_bytes(raw), borders}, seed, pool);
  }
  return block_array(out.span());
}

py::object find_repeat(const py::array& digests) {
  const Buffer<Block> x = copy_blocks(digests, "digests");
  std::optional<psi::Repeat> found;
  {
    const py::gil_scoped_release release;
    found = psi::find_repeat(x.span());
  }
  if (!found) return py::none();
  return py::make_tuple(found->first, found->again);
}

py::array first_of_each(const py::array& digests) {
  const Buffer<Block> x = copy_blocks(digests, "digests");
  Buffer<std::uint64_t> out;
  {
    const py::gil_scoped_release release;
    out = psi::first_of_each(x.span());
  }
  return to_array(std::move(out));
}

py::tuple okvs_encode(const py::array& keys, const py::array& values, const py::bytes& seed,
                      const Numbers& shape, const std::optional<py::bytes>& filler,
                      std::size_t threads) {
  const Buffer<Block> k = copy_blocks(keys, "keys"), v = copy_blocks(values, "values");
  check(k.size() == v.size(), Code::usage, "keys and values differ in number");
  const psi::OkvsShape sizes = shape_of_numbers(shape);
  Buffer<Block> table(sizes.size());
  const auto fill = [&](std::span<Block> out, const psi::Rows& rows) {
    for (std::size_t row = 0; row < out.size(); ++row) out[row] = v[rows.order()[row]];
  };
  Pool pool(threads);
  const auto random = filler ? std::optional(seed_of(*filler)) : std::nullopt;
  const psi::Encoding encoding =
      psi::okvs_encode(table.span(), sizes, seed_of(seed), k.span(), fill, pool, random);
  return py::make_tuple(block_array(table.span()), encoding.attempt);
}

py::array okvs_decode(const py::array& table, const py::array& keys, const py::bytes& seed,
                      const Numbers& shape, unsigned attempt, std::size_t threads) {
  const Buffer<Block> t = copy_blocks(table, "table"), k = copy_blocks(keys, "keys");
  Pool pool(threads);
  const psi::Rows rows(shape_of_numbers(shape), seed_of(seed), attempt, k.span(), pool);
  Buffer<Block> decoded(k.size()), out(k.size());
  rows.decode(decoded.span(), t.span(), pool);
  for (std::size_t row = 0; row < out.size(); ++row) out[rows.order()[row]] = decoded[row];
  return block_array(out.span());
}

void bind_ids(py::module_& module) {
  module.def("pack_ids", &pack_ids, arg("ids"), arg("first") = 0);
  module.def("pack_numbers", [](const py::array& ids) {
    if (py::isinstance<py::array_t<std::uint64_t>>(ids))
      return pack_numbers(view_of<std::uint64_t>(ids, "ids"));
    return pack_numbers(view_of<std::int64_t>(ids, "ids"));
  });
  module.def("digest_ids", &digest_ids, arg("bytes"), arg("ends"), arg("key"), arg("threads") = 1);
  module.def("find_repeat", &find_repeat, arg("digests"));
  module.def("first_of_each", &first_of_each, arg("digests"));
}

Buffer<std::uint32_t> counting(std::size_t n) {
  Buffer<std::uint32_t> out(n);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

py::array write_prints(const py::array& values, std::size_t num_kept, std::size_t runs) {
  const Buffer<Block> x = copy_blocks(values, "values");
  const psi::PrintShape shape = psi::print_shape(x.size(), num_kept, runs);
  const Buffer<std::byte> wire =
      psi::write(shape, psi::arrange(shape, x.span(), counting(x.size()).span()));
  Buffer<std::uint8_t> out(wire.size());
  std::copy_n(reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size(), out.begin());
  return to_array(std::move(out));
}

// match_prints gives the indices of own values among num_sent fingerprints of a peer.
std::vector<std::uint32_t> match_prints(const py::array& values, const py::array& wire,
                                        std::size_t num_sent, std::size_t runs) {
  const Buffer<Block> x = copy_blocks(values, "values");
  const psi::PrintShape shape = psi::print_shape(num_sent, x.size(), runs);
  const psi::Prints own = psi::arrange(shape, x.span(), counting(x.size()).span());
  const psi::Prints theirs =
      psi::read(shape, std::as_bytes(const_bytes_u8(wire, "wire")), num_sent);
  std::vector<std::uint32_t> out;
  for (const psi::Match& match : psi::matches(shape, own, theirs))
    out.push_back(own.index[match.own]);
  return out;
}

// psi_cost is that of one party: `receives` says whether it is rr22's receiver.
py::dict psi_cost(const std::string& method, std::size_t own, std::size_t theirs, bool mine,
                  bool other, bool receives, std::size_t runs, bool first) {
  psi::Traffic traffic;
  if (method == "ecdh")
    traffic = psi::ecdh_traffic(own, theirs, mine, other);
  else if (receives)
    traffic = psi::rr22_traffic(own, theirs, runs, mine && other, first, {});
  else
    traffic = psi::rr22_traffic(theirs, own, runs, mine && other, first, {}).turned();
  return py::dict(arg("rounds") = traffic.rounds, arg("bytes") = traffic.sent,
                  arg("bytes_received") = traffic.received);
}

// circuit_cost is that of one party in circuit form: `receives` says whether its ids lie in the
// table.
py::dict circuit_cost(std::size_t at_receiver, std::size_t at_sender, std::size_t num_columns,
                      bool receives, bool first) {
  psi::Traffic traffic = psi::circuit_traffic(at_receiver, at_sender, num_columns, first, {});
  if (!receives) traffic = traffic.turned();
  return py::dict(arg("rounds") = traffic.rounds, arg("bytes") = traffic.sent,
                  arg("bytes_received") = traffic.received);
}

}  // namespace

void bind_psi(py::module_& module) {
  module.def("circuit_cost", &circuit_cost, arg("at_receiver"), arg("at_sender"),
             arg("num_columns"), arg("receives"), arg("first"));
  module.def("circuit_bins", &psi::circuit_bins, arg("num_receiver"));
  module.def("circuit_tag_bits", &psi::circuit_tag_bits, arg("num_receiver"));
  module.def(
      "cuckoo_table",
      [](const py::array& digests, const py::bytes& seed, std::size_t bins) {
        const Buffer<Block> keys = copy_blocks(digests, "digests");
        return to_array(psi::cuckoo_table(keys.span(), seed_of(seed), bins));
      },
      arg("digests"), arg("seed"), arg("bins"), "For tests: which digest is in each bin.");
  bind_ids(module);
  module.def("bin_bound", &psi::bin_bound, arg("n"), arg("num_bins"), arg("bits"));
  module.def("write_prints", &write_prints, arg("values"), arg("num_kept"), arg("runs") = 1);
  module.def("match_prints", &match_prints, arg("values"), arg("wire"), arg("num_sent"),
             arg("runs") = 1);
  module.def("psi_cost", &psi_cost, arg("method"), arg("own"), arg("theirs"), arg("mine"),
             arg("other"), arg("receives"), arg("runs") = 1, arg("first") = true);
  module.def("okvs_shape", [](std::size_t num_keys) {
    const psi::OkvsShape shape = psi::okvs_shape(num_keys);
    return Numbers{shape.num_bins, shape.bin_keys, shape.sparse, shape.dense};
  });
  module.def("okvs_encode", &okvs_encode, arg("keys"), arg("values"), arg("seed"), arg("shape"),
             arg("filler") = py::none(), arg("threads") = 1);
  module.def("okvs_decode", &okvs_decode, arg("table"), arg("keys"), arg("seed"), arg("shape"),
             arg("attempt") = 0, arg("threads") = 1);
}

}  // namespace petcore::bindings
