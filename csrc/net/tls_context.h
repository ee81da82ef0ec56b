// TLS settings and identities. TLS 1.3 only, mutual, no certificate authority and no host names: a
// party is its key, recognised by the SHA-256 of its SubjectPublicKeyInfo (RFC 7469, section 2.4).
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

namespace petcore::net {

// Identity: this party's self-signed certificate and its private key, both PEM.
struct Identity {
  std::string certificate_pem;
  std::string private_key_pem;
};

// Pin: a party's name and the fingerprint of its key, 64 hexadecimal digits.
struct Pin {
  std::string name;
  std::string fingerprint;
};

using SslContext = std::shared_ptr<SSL_CTX>;

// make_context raises Code::usage if the certificate and the key do not parse or fit each other.
SslContext make_context(const Identity& identity);

// Recognition compares the key that a peer proved with the pins and keeps what it found. It must
// outlive the handshake it is attached to.
struct Recognition {
  std::vector<Pin> pins;
  std::string seen;  // the fingerprint of whoever called, "" before a certificate came
  const Pin* match = nullptr;

  void attach(SSL* ssl);
};

// check_pins raises Code::usage for a fingerprint that is not 64 hexadecimal digits.
void check_pins(const std::vector<Pin>& pins);

}  // namespace petcore::net
