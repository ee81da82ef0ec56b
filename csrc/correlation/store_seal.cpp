#include "correlation/store_seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <algorithm>

#include "base/bytes.h"
#include "prg/prg.h"

namespace petcore::correlation {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kNonceBytes = 12;
// OpenSSL counts in int.
constexpr std::size_t kStepBytes = std::size_t{1} << 30;

unsigned char* raw(Bytes bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* raw(ConstBytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

void must(int ok) { check(ok == 1, Code::internal, "OpenSSL refused to seal or to derive a key"); }

int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::array<unsigned char, kNonceBytes> nonce_of(std::uint64_t number) {
  std::array<unsigned char, kNonceBytes> nonce{};
  store_le(reinterpret_cast<std::byte*>(nonce.data()), number);
  return nonce;
}

}  // namespace

Salt random_salt() {
  Salt salt;
  prg::random_bytes(salt);
  return salt;
}

StoreKey::StoreKey(std::string_view digits) {
  constexpr const char* kWhat =
      "the key of a store is 64 hexadecimal digits; 'openssl rand -hex 32' makes one";
  check(digits.size() == 2 * bytes_.size(), Code::usage, kWhat);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    const int high = digit_value(digits[2 * i]), low = digit_value(digits[2 * i + 1]);
    check(high >= 0 && low >= 0, Code::usage, kWhat);
    bytes_[i] = static_cast<std::byte>(high << 4 | low);
  }
}

void StoreKey::derive(Bytes out, const Salt& salt, std::string_view purpose,
                      ConstBytes context) const {
  std::string info(purpose);
  info.push_back('\0');
  info.append(reinterpret_cast<const char*>(context.data()), context.size());
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* derivation = kdf != nullptr ? EVP_KDF_CTX_new(kdf) : nullptr;
  EVP_KDF_free(kdf);
  check(derivation != nullptr, Code::internal, "OpenSSL has no HKDF");
  char digest[] = "SHA256";
  const auto octets = [](const char* name, const void* data, std::size_t size) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<void*>(data), size);
  };
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                               octets(OSSL_KDF_PARAM_KEY, bytes_.data(), bytes_.size()),
                               octets(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
                               octets(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
                               OSSL_PARAM_construct_end()};
  const int ok = EVP_KDF_derive(derivation, raw(out), out.size(), params);
  EVP_KDF_CTX_free(derivation);
  must(ok);
}

struct Sealer::State {
  EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
  std::array<std::byte, 32> key{};
  std::array<std::byte, kDigestBytes> header{};

  State() { check(cipher != nullptr, Code::internal, "OpenSSL has no memory for a cipher"); }
  ~State() {
    EVP_CIPHER_CTX_free(cipher);
    wipe(key.data(), key.size());
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sealer::Sealer(const StoreKey& key, const Salt& salt, std::string_view purpose, ConstBytes header)
    : state_(std::make_unique<State>()) {
  must(EVP_Digest(header.data(), header.size(), raw(Bytes(state_->header)), nullptr, EVP_sha256(),
                  nullptr));
  key.derive(state_->key, salt, purpose, state_->header);
}

Sealer::~Sealer() = default;
Sealer::Sealer(Sealer&&) noexcept = default;
Sealer& Sealer::operator=(Sealer&&) noexcept = default;

void Sealer::seal(std::uint64_t number, ConstBytes plain, Bytes sealed) {
  check(sealed.size() == plain.size() + kTagBytes, Code::internal,
        "a sealed part has no such size");
  EVP_CIPHER_CTX* cipher = state_->cipher;
  int size = 0;
  must(EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nullptr, raw(ConstBytes(state_->key)),
                          nonce_of(number).data()));
  must(EVP_EncryptUpdate(cipher, nullptr, &size, raw(ConstBytes(state_->header)), kDigestBytes));
  for (std::size_t at = 0; at < plain.size(); at += kStepBytes) {
    const std::size_t step = std::min(kStepBytes, plain.size() - at);
    must(EVP_EncryptUpdate(cipher, raw(sealed.subspan(at)), &size, raw(plain.subspan(at)),
                           static_cast<int>(step)));
  }
  const Bytes tag = sealed.subspan(plain.size());
  must(EVP_EncryptFinal_ex(cipher, raw(tag), &size));
  must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()));
}

bool Sealer::open(std::uint64_t number, ConstBytes sealed, Bytes plain) {
  check(sealed.size() == plain.size() + kTagBytes, Code::internal,
        "a sealed part has no such size");
  EVP_CIPHER_CTX* cipher = state_->cipher;
  int size = 0;
  must(EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nullptr, raw(ConstBytes(state_->key)),
                          nonce_of(number).data()));
  must(EVP_DecryptUpdate(cipher, nullptr, &size, raw(ConstBytes(state_->header)), kDigestBytes));
  for (std::size_t at = 0; at < plain.size(); at += kStepBytes) {
    const std::size_t step = std::min(kStepBytes, plain.size() - at);
    must(EVP_DecryptUpdate(cipher, raw(plain.subspan(at)), &size, raw(sealed.subspan(at)),
                           static_cast<int>(step)));
  }
  std::array<std::byte, kTagBytes> tag, last;
  std::copy_n(sealed.begin() + static_cast<std::ptrdiff_t>(plain.size()), kTagBytes, tag.begin());
  must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()));
  if (EVP_DecryptFinal_ex(cipher, raw(Bytes(last)), &size) == 1) return true;
  std::fill(plain.begin(), plain.end(), std::byte{0});
  return false;
}

}  // namespace petcore::correlation
