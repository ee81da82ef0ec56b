// Tables of a mask r: what a dealer can deal of r so that a function of x is linear in it once x +
// r is public.
//
// A digit table tells of a digit d of r, for each v but the last, whether d > v: the digit of a
// public number then picks d < c and d = c without an opening. Waves are the cosines and sines of
// the multiples of r as an angle: those of (x + r) - r follow by the addition theorem.
#pragma once

#include "correlation/request.h"

namespace petcore::correlation {

// Digits: `count` digits of `bits` bits of r each, from bit `low` on, and the bit above them.
struct Digits {
  unsigned low = 0, bits = 0, count = 0;
  unsigned rows_per_digit() const { return (1u << bits) - 1; }
  unsigned width() const { return bits * count + 1; }
  std::uint64_t rows() const { return count == 0 ? 0 : rows_per_digit() * count + 1; }
};

// Waves: harmonics 1, 1 + step, ..., `count` of them, with r taken mod 2^period_bits.
struct Waves {
  unsigned period_bits = 0, count = 0, step = 1;
  unsigned width = 64;  // of the words, 32 or 64
};
// wave_scale is how many fraction bits the dealt cosines and sines have.
constexpr unsigned wave_scale(unsigned width) { return width == 64 ? 28 : 14; }

// wave_bits is how many bits of a cosine or sine a party chooses by, where there is no dealer.
constexpr unsigned wave_bits(unsigned width) { return width == 64 ? 30 : 18; }

Request digit_request(std::uint64_t units, const Digits& digits);
Request wave_request(std::uint64_t units, const Waves& waves, const Digits& digits);
// digits_of, waves_of read them back; check_tables raises Code::frame where they are out of bounds.
Digits digits_of(const Request& request);
Waves waves_of(const Request& request);
void check_tables(const Request& request);

// wave_words is what one row of n cosines or sines takes.
std::uint64_t wave_words(const Waves& waves, std::uint64_t n);

// digit_rows fills the rows of one digit of `bits` bits, which are packed vectors of `words` words.
void digit_rows(std::uint64_t* out, const std::uint64_t* bit_rows, unsigned bits,
                std::size_t words);
// digit_table fills the rows for every digit, lowest digit and lowest v first, then the top bit;
// each row is a packed vector. wave_table fills cosine and sine of every harmonic in turn.
void digit_table(Words out, ConstWords r, const Digits& digits);
void wave_table(Words out, ConstWords r, const Waves& waves);

}  // namespace petcore::correlation
