// Oblivious pseudorandom functions of RFC 9497, ciphersuite P256-SHA256, in all three modes.
//
//   client: input, blind r                      server: key k (poprf: k + H(info), inverted)
//   r H(input)                     ------>      k (r H(input)), and in voprf and poprf a proof that
//   hash of k H(input)             <------      this k is the one behind the public key
//
// Functionality: the client learns F_k(input), or F_k(input, info), and nothing about k; the server
// learns nothing about the input. Everyone may know info.
// Papers: Jarecki, Kiayias, Krawczyk, ASIACRYPT 2014 (oprf, voprf); Tyagi et al., EUROCRYPT 2022
// (poprf); Chaum, Pedersen, CRYPTO 1992, in the batch of Davidson et al., PETS 2018 (proof).
// Assumption: one-more gap Diffie-Hellman in P-256, SHA-256 a random oracle.
// Adversary: malicious client; malicious server in voprf and poprf. In oprf a server can use
// another key for each client and tell their outputs apart.
// Rounds: 2. Bytes: 33 per input each way, and 64 for the proof of a whole batch.
// Uses: client 2 multiples per input, 4 with a proof; server 1, or 2.
// Leaks: the number of inputs; to the server in poprf, info.
//
// A batch has 1 to kBatchMax inputs (Code::usage for the own, Code::frame for a peer's); an input
// and info have at most kInputBytesMax bytes (Code::usage). info is empty but in poprf.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/pool.h"
#include "group/p256.h"

namespace petcore::oprf {

enum class Mode : std::uint8_t { oprf = 0, voprf = 1, poprf = 2 };

constexpr std::size_t kOutputBytes = 32, kProofBytes = 64, kSeedBytes = 32;
constexpr std::size_t kBatchMax = 65535, kInputBytesMax = 65535;

using Inputs = std::span<const ConstBytes>;

// derive_key is DeriveKeyPair of section 3.2.1: a key from a secret seed of 32 bytes and a public
// text that tells keys of one seed apart.
group::Scalar derive_key(Mode mode, ConstBytes seed, ConstBytes info);
// public_key writes group::kPointBytes, by which proofs are checked.
void public_key(Bytes out, const group::Scalar& key);

// blind gives the blinded elements, one after another; a blind is random and used once.
Buffer<std::byte> blind(Pool& pool, Mode mode, Inputs inputs,
                        std::span<const group::Scalar> blinds);

struct Evaluation {
  Buffer<std::byte> elements;
  Buffer<std::byte> proof;  // empty in oprf
};

// evaluate works on a client's elements. `nonce` hides the key in the proof: random, never used
// twice. Elements that are no points: Code::frame.
Evaluation evaluate(Pool& pool, Mode mode, const group::Scalar& key, ConstBytes blinded,
                    ConstBytes info, const group::Scalar& nonce);

// Asked is what a client keeps between blind and finalize.
struct Asked {
  Inputs inputs;
  std::span<const group::Scalar> blinds;
  ConstBytes blinded;
};

// finalize gives kOutputBytes per input. Answers that are no points: Code::frame; a proof that does
// not hold under `server_key`: Code::untrusted. server_key is not looked at in oprf.
Buffer<std::byte> finalize(Pool& pool, Mode mode, ConstBytes server_key, const Asked& asked,
                           ConstBytes evaluated, ConstBytes proof, ConstBytes info);

// evaluate_known is what finalize gives, for who knows both key and inputs.
Buffer<std::byte> evaluate_known(Pool& pool, Mode mode, const group::Scalar& key, Inputs inputs,
                                 ConstBytes info);

}  // namespace petcore::oprf
