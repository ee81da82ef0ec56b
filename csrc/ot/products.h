// Products of numbers that each party alone knows, as additive shares, by correlated oblivious
// transfer in both directions at once (Gilboa, "Two Party RSA Key Generation", CRYPTO 1999, section
// 4.1, in the correlated form of Asharov, Lindell, Schneider, Zohner, CCS 2013, section 5.1).
//
// Of one OT whose choice is the bit c and whose sender has the word w, the sender keeps -h0 and
// sends h0 - h1 + w; the receiver, who knows h_c only, gets h0 + c w.
//
// Shares: out is fresh and uniform in its ring, alone; the two parties' outs add up to the product.
// Rounds: 2 flights a call, whatever n is, after the 2 flights of the base OTs in the first call.
// Adversary: semi-honest; of a malicious party, that an extension's receiver is consistent
// (options.checked). What a party multiplies is not checked.
// Leaks: nothing beyond n.
//
// Both parties call the same function with the same sizes; out overlaps no input. Data are streamed
// in blocks: memory beyond the arguments does not grow with n. Sizes that do not fit raise
// Code::usage. A call that throws leaves the object unusable: later ones raise Code::broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/buffer.h"
#include "base/pool.h"
#include "net/channel.h"
#include "ot/extension.h"

namespace petcore::ot {

// Ring: what strings are added in, and how a vector of n of them lies in whole words (tail zero).
enum class Ring : std::uint8_t {
  bits,    // exclusive or; packed, bit i in word i / 64
  bytes,   // Z_2^8, eight to a word
  halves,  // Z_2^32, two to a word
  words,   // Z_2^64
};
std::size_t words_of(Ring ring, std::size_t n);

// Modulus: of products of whole words. Residues are those of ring/residue.h.
enum class Modulus : std::uint8_t {
  word,     // 2^64
  residue,  // 2^64 - 1
  wide,     // 2^128 - 1; a number is two words, the lower first
};

class Products {
 public:
  // party is 0 or 1, and the peer's is the other one.
  Products(std::shared_ptr<net::Channel> channel, int party, const Options& options, Pool& pool);
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  // prepare runs the base OTs of both directions now; the first call does it otherwise.
  void prepare(const net::Step& step);

  // cross_bits: own_bits_i * their_words_i + their_bits_i * own_words_i. own_bits are n packed
  // bits. own_words and out hold `strings` vectors of n, one after the other, each of
  // words_of(ring, n) words: one choice multiplies all its strings.
  // Bytes each way: n OTs, and the strings, packed (block by block in whole words).
  void cross_bits(const net::Step& step, Words out, ConstWords own_bits, ConstWords own_words,
                  std::size_t n, Ring ring, std::size_t strings = 1);

  // bit_products: bit_i of party 0 times bit_i of party 1, as a number of the ring: one OT and one
  // string for each i, half of them in either direction.
  void bit_products(const net::Step& step, Words out, ConstWords own_bits, std::size_t n,
                    Ring ring);

  // cross_words: own_a_i * their_b_i + own_b_i * their_a_i. Bytes each way for each i: 64 OTs and
  // 260 bytes (word: string j has the 64 - j bits that count), 64 OTs and 512 bytes (residue),
  // 128 OTs and 2048 bytes (wide). own_a, own_b and out have n numbers.
  void cross_words(const net::Step& step, Words out, ConstWords own_a, ConstWords own_b,
                   std::size_t n, Modulus modulus = Modulus::word);
  // word_products: number i of party 0 times number i of party 1; half as many bytes.
  void word_products(const net::Step& step, Words out, ConstWords own, std::size_t n,
                     Modulus modulus = Modulus::word);

  // cross_matrices: own_a their_b + their_a own_b modulo 2^64, a (m x k) and b (k x n), row-major.
  // Bytes each way: 64 k min(m, n) OTs, and 260 mkn.
  void cross_matrices(const net::Step& step, Words out, ConstWords own_a, ConstWords own_b,
                      std::size_t m, std::size_t k, std::size_t n);

  // lookups_16: exclusive-or shares of tables[index]: `owned` lookups in this party's tables at
  // indices of the peer's, and `asked` lookups in the peer's tables at this party's indices (the
  // peer calls with the two exchanged). Entries have `width` bits, 1 to 64. All is packed slices
  // of the number of lookups: tables[v * width + w] is bit w of entry v, 16 * width slices;
  // indices[b] is bit b of the index, 4 slices; out_owned and out_asked have `width` slices.
  // Bytes: 4 OTs, and 15 * width bits from the tables' owner, for each lookup.
  struct Owned {
    Words out;
    ConstWords tables;
    std::size_t n;
  };
  struct Asked {
    Words out;
    ConstWords indices;
    std::size_t n;
  };
  void lookups_16(const net::Step& step, const Owned& owned, const Asked& asked, unsigned width);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace petcore::ot
