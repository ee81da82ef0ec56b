// Runs the NEON rows on an arm64 processor or under qemu. Ring and bits are compared here with the
// portable rows (exit status 1 names the first difference); AES needs OpenSSL for its portable row,
// so its results go to standard output, one line of hexadecimal digits each, for test_neon.py.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bits/bits_kernels.h"
#include "prg/prg_kernels.h"
#include "ring/ring_kernels.h"
#include "simd/cpu.h"

namespace {

using Words = std::vector<std::uint64_t>;
using Octets = std::vector<std::uint8_t>;
namespace ring = petcore::ring;
namespace bits = petcore::bits;
namespace prg = petcore::prg;

void expect(bool equal, const char* what, std::size_t size) {
  if (equal) return;
  std::fprintf(stderr, "%s differs from portable at size %zu\n", what, size);
  std::exit(1);
}

// words fills a vector from the splitmix64 sequence.
Words words(std::size_t size, std::uint64_t seed) {
  Words x(size);
  for (auto& word : x) {
    std::uint64_t z = seed += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
  return x;
}

template <class Run>
void compare(const char* what, std::size_t size, Run run) {
  Words neon(size + 1, 7), portable(size + 1, 7);
  run(*ring::kNeon, neon.data());
  run(*ring::kPortable, portable.data());
  expect(neon == portable, what, size);
}

void check_vectors(std::size_t n) {
  using K = ring::Kernels;
  using Out = std::uint64_t*;
  const Words x = words(n, 1), y = words(n, 2), z = words(n, 3);
  const auto *a = x.data(), *b = y.data(), *c = z.data();
  compare("add", n, [=](const K& k, Out out) { k.add(out, a, b, n); });
  compare("sub", n, [=](const K& k, Out out) { k.sub(out, a, b, n); });
  compare("neg", n, [=](const K& k, Out out) { k.neg(out, a, n); });
  compare("mul", n, [=](const K& k, Out out) { k.mul(out, a, b, n); });
  compare("scale", n, [=](const K& k, Out out) { k.scale(out, a, n, 0xfedcba9876543211); });
  compare("sum", n, [=](const K& k, Out out) { *out = k.sum(a, n); });
  compare("mul_add2", n, [=](const K& k, Out out) { k.mul_add2(out, a, b, c, a, b, n); });
  for (unsigned bit : {0u, 1u, 31u, 32u, 63u}) {
    compare("shift_left", n, [=](const K& k, Out out) { k.shift_left(out, a, n, bit); });
    compare("shift_right", n, [=](const K& k, Out out) { k.shift_right(out, a, n, bit); });
    compare("shift_right_signed", n,
            [=](const K& k, Out out) { k.shift_right_signed(out, a, n, bit); });
  }
}

void check_product(std::size_t m, std::size_t k, std::size_t n) {
  const Words a = words(m * k, 1), b = words(k * n, 2);
  for (const bool accumulate : {false, true})
    for (const bool transposed : {false, true})
      compare("matmul", m * n, [&](const ring::Kernels& row, std::uint64_t* out) {
        const ring::Product product = {
            out, a.data(), b.data(), m, k, n, accumulate, transposed, n, transposed ? m : k, n};
        Words scratch(row.scratch_words(product));
        row.matmul(product, scratch.data());
      });
}

void check_bits(std::size_t n) {
  Octets in(n), neon(n), portable(n);
  for (std::size_t i = 0; i < n; ++i) in[i] = static_cast<std::uint8_t>(i * i * 37 + (i >> 3));
  Words packed((n + 63) / 64), expected((n + 63) / 64);
  bits::kNeon->pack(packed.data(), in.data(), n);
  bits::kPortable->pack(expected.data(), in.data(), n);
  expect(packed == expected, "pack", n);
  bits::kNeon->unpack(neon.data(), packed.data(), n);
  bits::kPortable->unpack(portable.data(), packed.data(), n);
  expect(neon == portable, "unpack", n);
}

void check_transpose(std::size_t rows, std::size_t columns) {
  const Words in = words(rows * ((columns + 63) / 64), 5);
  Words neon(columns * ((rows + 63) / 64)), portable(neon.size());
  bits::kNeon->transpose(neon.data(), in.data(), rows, columns);
  bits::kPortable->transpose(portable.data(), in.data(), rows, columns);
  expect(neon == portable, "transpose", rows);
}

void check_narrow(std::size_t n) {
  const Words x = words(n + 1, 1);
  for (std::size_t num_bytes = 1; num_bytes <= 8; ++num_bytes) {
    Words neon(n + 1, 7), portable(n + 1, 7);
    bits::kNeon->narrow(neon.data(), x.data(), n, num_bytes);
    bits::kPortable->narrow(portable.data(), x.data(), n, num_bytes);
    expect(neon == portable, "narrow", n);
    bits::kNeon->widen_sum(neon.data(), portable.data(), x.data(), n, num_bytes);
    Words sum(n + 1, 7);
    bits::kPortable->widen_sum(sum.data(), portable.data(), x.data(), n, num_bytes);
    expect(Words(neon.begin(), neon.begin() + n) == Words(sum.begin(), sum.begin() + n),
           "widen_sum", n);
  }
}

// All gates of one size, on one row; their results one after the other.
Words gates(const bits::Kernels& row, std::size_t n) {
  Words out;
  const auto keep = [&](const Words& x) { out.insert(out.end(), x.begin(), x.end()); };
  for (unsigned size = 1; size <= bits::kGroupMax; ++size) {
    Words dealt(bits::group_slices(size) * n), g(n), p(n);
    row.deal_group(dealt.data(), words(size * n, 1).data(), n, size);
    row.compare_group(g.data(), p.data(), words(size * n, 2).data(), dealt.data(), n, size, true);
    keep(dealt), keep(g), keep(p);
  }
  for (unsigned fan_in = 2; fan_in <= bits::kFanInMax; ++fan_in)
    for (const auto parts : {bits::Parts::both, bits::Parts::less, bits::Parts::equal}) {
      const bits::Node node{fan_in, parts};
      Words own = words(bits::opened_slices(fan_in, parts) * n, 3);
      Words dealt(bits::dealt_slices(fan_in, parts) * n), g_out(n), p_out(n);
      const Words g = words(fan_in * n, 4), p = words(fan_in * n, 5), theirs = words(own.size(), 6);
      row.deal_node(node, dealt.data(), own.data(), n);
      row.mask_node(node, own.data(), g.data(), p.data(), n);
      row.close_node(
          node,
          {g_out.data(), p_out.data(), g.data(), p.data(), own.data(), theirs.data(), dealt.data()},
          n);
      keep(dealt), keep(own), keep(g_out), keep(p_out);
    }
  return out;
}

void check_gates(std::size_t n) {
  expect(gates(*bits::kNeon, n) == gates(*bits::kPortable, n), "gates", n);
}

void print(const Octets& bytes) {
  for (const auto byte : bytes) std::printf("%02x", byte);
  std::printf("\n");
}

std::byte* as_bytes(Octets& octets) { return reinterpret_cast<std::byte*>(octets.data()); }

// Prints AES, counter and hash of blocks 0, 1, 2, ... for the key 00 01 .. 0f.
void print_aes(std::size_t num_blocks) {
  Octets key(16), schedule(prg::kScheduleBytes), in(16 * num_blocks), out(16 * num_blocks);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(i * 0x11);
  prg::kNeon->expand(as_bytes(schedule), as_bytes(key));
  prg::kNeon->encrypt(as_bytes(schedule), as_bytes(out), as_bytes(in), num_blocks);
  print(out);
  prg::kNeon->counter({.schedule = as_bytes(schedule),
                       .num_blocks = num_blocks,
                       .high = 0,
                       .low = 0xfffffffe,
                       .mix = prg::Mix::keystream,
                       .out = as_bytes(out),
                       .x = nullptr,
                       .stream = nullptr,
                       .around_cache = false});
  print(out);
  prg::kNeon->hash(as_bytes(schedule), as_bytes(out), as_bytes(in), num_blocks, 7, 0xfffffffe);
  print(out);
}

}  // namespace

int main() {
  if (!petcore::simd::cpu().neon_aes) return 2;
  for (std::size_t n = 0; n < 40; ++n) check_vectors(n);
  for (std::size_t n = 0; n < 20; ++n) check_narrow(n);
  for (std::size_t n = 1; n < 12; ++n) check_gates(n);
  for (std::size_t m : {1u, 3u, 4u, 5u, 130u})
    for (std::size_t k : {1u, 2u, 3u, 257u})
      for (std::size_t n : {1u, 2u, 3u, 4u, 5u, 9u, 17u}) check_product(m, k, n);
  for (std::size_t n = 0; n < 200; ++n) check_bits(n);
  for (std::size_t rows : {1u, 63u, 64u, 65u, 128u, 200u})
    for (std::size_t columns : {1u, 64u, 100u, 128u, 193u}) check_transpose(rows, columns);
  for (std::size_t blocks = 1; blocks <= 40; ++blocks) print_aes(blocks);
  return 0;
}
