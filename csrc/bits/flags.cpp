#include "bits/flags.h"

#include "base/error.h"
#include "bits/bits.h"
#include "bits/bits_kernels.h"

namespace petcore::bits {
namespace {

template <class... Flags>
void fit(std::size_t size, const Flags&... flags) {
  check(((flags.size() == num_words(size)) && ...), Code::usage,
        "bits: there is not one flag for each word");
}

template <class... Inputs>
void same(Words out, const Inputs&... inputs) {
  check(((inputs.size() == out.size()) && ...), Code::usage,
        "bits: the operands have different sizes");
}

}  // namespace

void expand(Words out, ConstWords flags, std::string_view target) {
  fit(out.size(), flags);
  choose(target).expand(out.data(), flags.data(), out.size());
}

void keep(Words out, ConstWords x, ConstWords flags, std::string_view target) {
  same(out, x);
  fit(out.size(), flags);
  choose(target).keep(out.data(), x.data(), flags.data(), out.size());
}

void expand_halves(Words out, ConstWords flags, std::string_view target) {
  check(flags.size() == num_words(2 * out.size()), Code::usage,
        "bits: there are not two flags for each word");
  choose(target).expand_halves(out.data(), flags.data(), out.size());
}

void reflect(Words out, ConstWords x, ConstWords y, ConstWords flags, std::string_view target) {
  same(out, x, y);
  fit(out.size(), flags);
  choose(target).reflect(out.data(), x.data(), y.data(), flags.data(), out.size());
}

void turn_add(Words out, ConstWords x, ConstWords turn, ConstWords plus, ConstWords minus,
              std::string_view target) {
  same(out, x);
  fit(out.size(), turn, plus, minus);
  choose(target).turn_add(out.data(), x.data(), turn.data(), plus.data(), minus.data(), out.size());
}

void top_flags(Words out, ConstWords x, std::uint64_t offset, std::string_view target) {
  fit(x.size(), out);
  choose(target).top_flags(out.data(), x.data(), x.size(), offset);
}

void quotient(Words out, ConstWords x, ConstWords wrap, const Quotient& by,
              std::string_view target) {
  same(out, x, wrap);
  check(by.f >= 1 && by.f <= 62, Code::usage, "bits: a quotient by 2^1 to 2^62 only");
  choose(target).quotient(out.data(), x.data(), wrap.data(), by, out.size());
}

}  // namespace petcore::bits
