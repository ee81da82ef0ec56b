// The loops that every target of GF(2^128) shares. Included once, in an anonymous namespace, by a
// file that defines there a type Field:
//   V                    an element
//   load, store          aligned memory
//   add(x, y)            the sum
//   Wide                 an unreduced product
//   wide(x, y), add_wide(p, q), reduce(p)
#pragma once

using V = Field::V;

inline V times(V x, V y) { return Field::reduce(Field::wide(x, y)); }

Gf128 multiply_one(Gf128 x, Gf128 y) {
  Gf128 out;
  Field::store(&out, times(Field::load(&x), Field::load(&y)));
  return out;
}

void add_scaled_all(Gf128* out, const Gf128* x, std::size_t size, Gf128 factor) {
  const V by = Field::load(&factor);
  for (std::size_t i = 0; i < size; ++i)
    Field::store(out + i, Field::add(Field::load(out + i), times(Field::load(x + i), by)));
}

void add_products_all(Gf128* out, const Gf128* x, const Gf128* y, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    Field::store(out + i,
                 Field::add(Field::load(out + i), times(Field::load(x + i), Field::load(y + i))));
}

// Products are added up before they are reduced: reducing is linear.
Gf128 inner_product_all(const Gf128* x, const Gf128* y, std::size_t size) {
  Field::Wide sum{};
  for (std::size_t i = 0; i < size; ++i)
    sum = Field::add_wide(sum, Field::wide(Field::load(x + i), Field::load(y + i)));
  Gf128 out;
  Field::store(&out, Field::reduce(sum));
  return out;
}

// Horner's rule is a chain of products, so several elements go through it at once.
void add_polynomial_all(Gf128* out, const Gf128* x, std::size_t size, const Gf128* coefficients,
                        std::size_t degree) {
  constexpr std::size_t kFlight = 4;
  std::size_t i = 0;
  for (; i + kFlight <= size; i += kFlight) {
    V point[kFlight], sum[kFlight];
    for (std::size_t j = 0; j < kFlight; ++j) {
      point[j] = Field::load(x + i + j);
      sum[j] = V{};
    }
    for (std::size_t d = degree; d-- > 0;)
      for (std::size_t j = 0; j < kFlight; ++j)
        sum[j] = times(Field::add(sum[j], Field::load(coefficients + d)), point[j]);
    for (std::size_t j = 0; j < kFlight; ++j)
      Field::store(out + i + j, Field::add(Field::load(out + i + j), sum[j]));
  }
  for (; i < size; ++i) {
    V sum{};
    for (std::size_t d = degree; d-- > 0;)
      sum = times(Field::add(sum, Field::load(coefficients + d)), Field::load(x + i));
    Field::store(out + i, Field::add(Field::load(out + i), sum));
  }
}

constexpr Gf128Kernels kKernels = {multiply_one, add_scaled_all, add_products_all,
                                   inner_product_all, add_polynomial_all};
