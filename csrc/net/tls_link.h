// TlsLink: TLS 1.3 over one TCP socket, as a byte transport that never blocks.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "net/shaping.h"
#include "net/socket.h"
#include "net/tls_context.h"

namespace petcore::net {

class TlsLink {
 public:
  enum class Role { client, server };
  TlsLink(SslContext context, Socket socket, Role role, std::vector<Pin> pins);
  ~TlsLink();
  TlsLink(const TlsLink&) = delete;
  TlsLink& operator=(const TlsLink&) = delete;

  // advance goes on with the handshake as far as it can without waiting; true once both sides have
  // proved their keys and greeted each other. Raises Code::untrusted (a key is not the pinned one,
  // here or there), Code::frame (no TLS 1.3, no petcore) or Code::closed, without naming the peer.
  bool advance();
  const Recognition& recognition() const { return recognition_; }

  std::size_t read_some(Bytes out);
  std::size_t write_some(ConstBytes in);
  bool flush();
  void wait_ready(bool want_read, bool want_write, milliseconds timeout);
  void shut(milliseconds patience) noexcept;
  int descriptor() const { return socket_.descriptor(); }
  // shape slows down what this end sends from now on; once per link.
  void shape(const LinkShape& shape);

  std::array<std::byte, 32> binding() const;
  std::string cipher() const;  // "TLSv1.3 TLS_AES_128_GCM_SHA256"

 private:
  struct Wire;  // ciphertext between OpenSSL and the socket
  enum class Stage { handshake, greeting, ready };
  Error failure(int result) const;
  bool try_flush();
  bool greet();
  void refresh_keys(std::size_t num_bytes);

  const Born born_;
  SslContext context_;
  std::unique_ptr<Shaper> shaper_;  // outlives its end of the stream
  Socket socket_;
  Recognition recognition_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  Stage stage_ = Stage::handshake;
  std::size_t greeting_sent_ = 0;
  std::vector<std::byte> greeting_;
  std::size_t records_ = 0;  // under the current key
  std::optional<Error> read_error_;
};

}  // namespace petcore::net
