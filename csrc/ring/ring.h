// Vectors and matrices over Z_2^64. Local work only; out may be one of the inputs or disjoint from
// them, never a partial overlap. Sizes must agree (Code::usage otherwise).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/pool.h"

namespace petcore::ring {

// Options: what a function runs on. `target` forces one ("" is the widest that this CPU runs, or
// PETCORE_TARGET). Large work is split over the threads of `pool`, with the same result.
struct Options {
  Options(std::string_view on = "") : target(on) {}
  Options(const char* on) : target(on) {}
  Options(Pool& shared, std::string_view on = "") : target(on), pool(&shared) {}

  std::string_view target;
  Pool* pool = nullptr;
};

void add(Words out, ConstWords x, ConstWords y, const Options& options = {});
void sub(Words out, ConstWords x, ConstWords y, const Options& options = {});
void neg(Words out, ConstWords x, const Options& options = {});
void mul(Words out, ConstWords x, ConstWords y, const Options& options = {});
// scale: out = x * factor; shifts: logical left/right and arithmetic right, 0 <= bits < 64.
void scale(Words out, ConstWords x, std::uint64_t factor, const Options& options = {});
void shift_left(Words out, ConstWords x, unsigned bits, const Options& options = {});
void shift_right(Words out, ConstWords x, unsigned bits, const Options& options = {});
void shift_right_signed(Words out, ConstWords x, unsigned bits, const Options& options = {});
std::uint64_t sum(ConstWords x, const Options& options = {});
// mul_add2: out = a * b + c * d + e, the local half of a Beaver product.
void mul_add2(Words out, ConstWords a, ConstWords b, ConstWords c, ConstWords d, ConstWords e,
              const Options& options = {});

// matmul: out (m x n) = a (m x k) times b (k x n), row-major; with accumulate, added to out.
// Only here out must not alias an input.
void matmul(Words out, ConstWords a, ConstWords b, std::size_t m, std::size_t k, std::size_t n,
            bool accumulate = false, const Options& options = {});
// matmul_transposed: out (m x n) = the transpose of a (k x m) times b (k x n).
void matmul_transposed(Words out, ConstWords a, ConstWords b, std::size_t m, std::size_t k,
                       std::size_t n, bool accumulate = false, const Options& options = {});
// transpose: out (n x m) = the transpose of a (m x n).
void transpose(Words out, ConstWords a, std::size_t m, std::size_t n);

std::vector<std::string_view> targets();
std::string_view chosen_target();  // where the caller forces none

}  // namespace petcore::ring
