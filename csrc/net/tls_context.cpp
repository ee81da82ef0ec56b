#include "net/tls_context.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"

namespace petcore::net {
namespace {

// AES-128 first: it is as good as the rest of the protocol needs and the fastest.
constexpr const char* kCipherSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr std::size_t kFingerprintDigits = 64;

template <class T, void (*free_it)(T*)>
struct Free {
  void operator()(T* held) const { free_it(held); }
};
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using MemoryBio = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;

MemoryBio reading(const std::string& text) {
  return MemoryBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// No pass phrase is ever asked for at a terminal.
int no_pass_phrase(char*, int, int, void*) { return 0; }

int recognition_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

std::string fingerprint_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  std::array<unsigned char, 32> digest{};
  const int ok = EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), nullptr,
                            EVP_sha256(), nullptr);
  OPENSSL_free(der);
  if (ok != 1) return {};
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool equal_fingerprints(const std::string& pinned, const std::string& seen) {
  if (pinned.size() != kFingerprintDigits || seen.size() != kFingerprintDigits) return false;
  std::string lower = pinned;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return CRYPTO_memcmp(lower.data(), seen.data(), kFingerprintDigits) == 0;
}

// verify replaces OpenSSL's chain building. TLS itself makes the peer prove that it has the key.
int verify(X509_STORE_CTX* store, void*) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* recognition = ssl == nullptr
                          ? nullptr
                          : static_cast<Recognition*>(SSL_get_ex_data(ssl, recognition_index()));
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  if (recognition != nullptr && certificate != nullptr) {
    recognition->seen = fingerprint_of(certificate);
    for (const Pin& pin : recognition->pins)
      if (equal_fingerprints(pin.fingerprint, recognition->seen)) recognition->match = &pin;
    if (recognition->match != nullptr) {
      X509_STORE_CTX_set_error(store, X509_V_OK);
      return 1;
    }
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

void use_identity(SSL_CTX* context, const Identity& identity) {
  const Certificate certificate(
      PEM_read_bio_X509(reading(identity.certificate_pem).get(), nullptr, no_pass_phrase, nullptr));
  const PrivateKey key(PEM_read_bio_PrivateKey(reading(identity.private_key_pem).get(), nullptr,
                                               no_pass_phrase, nullptr));
  const bool fit = certificate && key && SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
                   SSL_CTX_use_PrivateKey(context, key.get()) == 1 &&
                   SSL_CTX_check_private_key(context) == 1;
  ERR_clear_error();
  check(certificate != nullptr, Code::usage, "the certificate of this party is not readable PEM");
  check(key != nullptr, Code::usage, "the private key of this party is not readable PEM");
  check(fit, Code::usage, "the private key and the certificate of this party do not fit");
}

}  // namespace

SslContext make_context(const Identity& identity) {
  const SslContext context(SSL_CTX_new(TLS_method()), &SSL_CTX_free);
  SSL_CTX* const c = context.get();
  check(c != nullptr, Code::internal, "OpenSSL gave no TLS context");
  const bool ok = SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 &&
                  SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1 &&
                  SSL_CTX_set_ciphersuites(c, kCipherSuites) == 1 &&
                  SSL_CTX_set_num_tickets(c, 0) == 1 && SSL_CTX_set_max_early_data(c, 0) == 1;
  check(ok, Code::internal, "OpenSSL refused the TLS settings");
  SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(c, verify, nullptr);
  use_identity(c, identity);
  return context;
}

void Recognition::attach(SSL* ssl) { SSL_set_ex_data(ssl, recognition_index(), this); }

void check_pins(const std::vector<Pin>& pins) {
  for (const Pin& pin : pins)
    check(pin.fingerprint.size() == kFingerprintDigits &&
              std::all_of(pin.fingerprint.begin(), pin.fingerprint.end(),
                          [](unsigned char c) { return std::isxdigit(c) != 0; }),
          Code::usage, "a fingerprint is 64 hexadecimal digits; see 'petcore keygen'");
}

}  // namespace petcore::net
