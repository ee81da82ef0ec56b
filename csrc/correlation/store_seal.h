// Sealing of what a store keeps on disk.
//
// Every file has a random salt and by it a key of its own, HKDF-SHA256(store key, salt) (RFC 5869);
// its parts are sealed with AES-256-GCM (NIST SP 800-38D). A part's number is its nonce and no file
// writes a part twice, so no nonce repeats under a key; the file's header enters the key and, with
// the number, every tag: a part opens at its own place of its own file only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/buffer.h"

namespace petcore::correlation {

constexpr std::size_t kTagBytes = 16;
using Salt = std::array<std::byte, 32>;

Salt random_salt();

// StoreKey: the secret that everything a store keeps is sealed under.
class StoreKey {
 public:
  // StoreKey reads 64 hexadecimal digits; others raise Code::usage.
  explicit StoreKey(std::string_view digits);
  ~StoreKey() { wipe(bytes_.data(), bytes_.size()); }
  StoreKey(const StoreKey&) = default;
  StoreKey& operator=(const StoreKey&) = default;

  // derive is HKDF-SHA256 with this key, a salt and what the result is for.
  void derive(Bytes out, const Salt& salt, std::string_view purpose, ConstBytes context) const;

 private:
  std::array<std::byte, 32> bytes_{};
};

class Sealer {
 public:
  // header: what the file says of itself in clear, its salt included.
  Sealer(const StoreKey& key, const Salt& salt, std::string_view purpose, ConstBytes header);
  ~Sealer();
  Sealer(Sealer&&) noexcept;
  Sealer& operator=(Sealer&&) noexcept;

  // seal writes plain.size() + kTagBytes bytes. No number is used twice.
  void seal(std::uint64_t number, ConstBytes plain, Bytes sealed);
  // open is false where the part is not authentic; plain is then all zero.
  bool open(std::uint64_t number, ConstBytes sealed, Bytes plain);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace petcore::correlation
