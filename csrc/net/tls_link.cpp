#include "net/tls_link.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <tuple>

namespace petcore::net {
namespace {

constexpr std::size_t kWireBytes = 256 << 10;
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::size_t kRecordBytes = 16 << 10;
// AES-GCM loses its margin after 2^24.5 full records under one key (RFC 8446, section 5.5).
constexpr std::size_t kRecordsPerKey = 1 << 22;
// What either side says first: a TLS 1.3 client learns only from it that the server took its key.
constexpr std::string_view kGreeting = "petcore1";

bool is_certificate_alert(int alert) {
  return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
         (alert >= SSL_AD_UNKNOWN_CA && alert <= SSL_AD_ACCESS_DENIED) ||
         alert == SSL_AD_CERTIFICATE_REQUIRED || alert == SSL_AD_DECRYPT_ERROR;
}

}  // namespace

// OpenSSL reads and writes these buffers; the socket is touched with large pieces, so that a system
// call moves many records.
struct TlsLink::Wire {
  explicit Wire(Socket& with) : socket(with), in(kWireBytes) { out.reserve(2 * kWireBytes); }

  bool flush() {
    while (out_begin < out.size()) {
      const std::size_t n = socket.write_some(ConstBytes(out).subspan(out_begin));
      if (n == 0) return false;
      out_begin += n;
    }
    out.clear();
    out_begin = 0;
    return true;
  }
  std::size_t waiting() const { return out.size() - out_begin; }

  static int write(BIO* bio, const char* data, int size) {
    Wire& wire = *static_cast<Wire*>(BIO_get_data(bio));
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    wire.out.insert(wire.out.end(), bytes, bytes + size);
    return size;
  }
  static int read(BIO* bio, char* data, int size) {
    Wire& wire = *static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (wire.in_begin == wire.in_end && !wire.refill(bio)) return -1;
    const std::size_t n = std::min(static_cast<std::size_t>(size), wire.in_end - wire.in_begin);
    std::memcpy(data, wire.in.data() + wire.in_begin, n);
    wire.in_begin += n;
    return static_cast<int>(n);
  }
  bool refill(BIO* bio) {
    in_begin = in_end = 0;
    try {
      in_end = socket.read_some(in);
    } catch (const Error& error) {  // OpenSSL is C: the reason waits outside
      end_reason = error.what();
      return false;
    }
    if (in_end == 0) BIO_set_retry_read(bio);
    return in_end > 0;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO* make_bio(Wire* wire) {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "petcore wire");
      BIO_meth_set_write(m, &Wire::write);
      BIO_meth_set_read(m, &Wire::read);
      BIO_meth_set_ctrl(m, &Wire::control);
      return m;
    }();
    BIO* bio = BIO_new(method);
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    return bio;
  }

  Socket& socket;
  std::vector<std::byte> in, out;
  std::size_t in_begin = 0, in_end = 0, out_begin = 0;
  std::string end_reason;
};

TlsLink::TlsLink(SslContext context, Socket socket, Role role, std::vector<Pin> pins)
    : context_(std::move(context)),
      socket_(std::move(socket)),
      recognition_{std::move(pins), {}, nullptr},
      wire_(std::make_unique<Wire>(socket_)),
      ssl_(SSL_new(context_.get()), &SSL_free) {
  check(ssl_ != nullptr, Code::internal, "OpenSSL gave no TLS connection");
  BIO* const bio = Wire::make_bio(wire_.get());
  SSL_set_bio(ssl_.get(), bio, bio);
  recognition_.attach(ssl_.get());
  if (role == Role::client)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
}

TlsLink::~TlsLink() = default;

bool TlsLink::advance() {
  if (stage_ == Stage::handshake) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    const bool failed = result != 1 && SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ;
    const std::optional<Error> error = failed ? std::optional(failure(result)) : std::nullopt;
    try_flush();  // also the alert that tells the peer why
    if (error) throw Error(*error);
    if (result != 1) return false;
    stage_ = Stage::greeting;
  }
  if (stage_ == Stage::greeting && greet()) stage_ = Stage::ready;
  return stage_ == Stage::ready;
}

// try_flush leaves it to the next read to say why a link is gone: the peer's last words are there.
bool TlsLink::try_flush() {
  try {
    return flush();
  } catch (const Error&) {
    return false;
  }
}

bool TlsLink::greet() {
  const ConstBytes mine = std::as_bytes(std::span(kGreeting.data(), kGreeting.size()));
  if (greeting_sent_ < mine.size()) greeting_sent_ += write_some(mine.subspan(greeting_sent_));
  const bool flushed = try_flush() && greeting_sent_ == mine.size();
  if (greeting_.size() < mine.size()) {
    std::array<std::byte, kGreeting.size()> piece;
    const std::size_t n = read_some(std::span(piece).first(mine.size() - greeting_.size()));
    greeting_.insert(greeting_.end(), piece.begin(), piece.begin() + static_cast<long>(n));
  }
  if (!std::equal(greeting_.begin(), greeting_.end(), mine.begin()))
    throw Error(Code::frame, "it speaks TLS but not petcore, or another release of it");
  return flushed && greeting_.size() == mine.size();
}

std::size_t TlsLink::read_some(Bytes out) {
  if (read_error_) throw Error(*read_error_);
  std::size_t total = 0;
  while (total < out.size()) {
    std::size_t n = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), out.data() + total, out.size() - total, &n);
    if (result != 1) {
      if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) break;
      read_error_ = failure(result);
      if (total > 0) break;  // raised next time
      throw Error(*read_error_);
    }
    total += n;
    if (wire_->in_begin == wire_->in_end && SSL_pending(ssl_.get()) == 0) break;
  }
  return total;
}

std::size_t TlsLink::write_some(ConstBytes in) {
  std::size_t total = 0;
  while (total < in.size()) {
    if (wire_->waiting() >= kWireBytes && (flush(), wire_->waiting() >= kWireBytes)) break;
    const std::size_t piece = std::min(in.size() - total, kPieceBytes);
    refresh_keys(piece);
    std::size_t n = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), in.data() + total, piece, &n);
    if (result != 1) throw failure(result);
    total += n;
  }
  return total;
}

void TlsLink::refresh_keys(std::size_t num_bytes) {
  records_ += num_bytes / kRecordBytes + 1;
  if (records_ < kRecordsPerKey) return;
  records_ = 0;
  check(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1, Code::internal,
        "OpenSSL refused a key update");
}

bool TlsLink::flush() { return wire_->flush(); }

void TlsLink::wait_ready(bool want_read, bool want_write, milliseconds timeout) {
  net::wait_ready(socket_.descriptor(), want_read, want_write || wire_->waiting() > 0, timeout);
}

void TlsLink::shape(const LinkShape& shape) {
  if (shape.is_plain()) return;
  check(shaper_ == nullptr, Code::usage, "this link is shaped already");
  std::tie(socket_, shaper_) = Shaper::insert(std::move(socket_), shape);
}

void TlsLink::shut(milliseconds patience) noexcept {
  if (!socket_) return;
  // A child of fork() lets go of its copy; a word from it would use the parent's next nonce.
  if (!born_.here()) return socket_.close();
  try {
    ERR_clear_error();
    if (stage_ != Stage::handshake) SSL_shutdown(ssl_.get());
    const auto end = Clock::now() + patience;
    while (!flush() && Clock::now() < end)
      net::wait_ready(descriptor(), false, true, milliseconds(5));
  } catch (const Error&) {
    // The peer is gone.
  }
  ERR_clear_error();
  if (shaper_ && patience.count() == 0) shaper_->drop_unsent();
  socket_.shut(patience);
  shaper_.reset();
}

// failure says what an OpenSSL call that did not succeed means.
Error TlsLink::failure(int result) const {
  const int error = SSL_get_error(ssl_.get(), result);
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (!wire_->end_reason.empty()) return Error(Code::closed, wire_->end_reason);
  if (error == SSL_ERROR_ZERO_RETURN) return Error(Code::closed, "end of the byte stream");
  const char* text = ERR_reason_error_string(code);
  const std::string reason = text == nullptr ? "unknown reason" : text;
  if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
    return Error(Code::untrusted, "its key is not the pinned one");
  if (ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    return Error(Code::untrusted, "it showed no certificate");
  const int alert = ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET;
  if (alert >= 0 && alert <= 255 && is_certificate_alert(alert))
    return Error(Code::untrusted, "it refused this party's key (" + reason + ")");
  return Error(Code::frame, "TLS: " + reason);
}

std::array<std::byte, 32> TlsLink::binding() const {
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  std::array<std::byte, 32> out;
  const int ok =
      SSL_export_keying_material(ssl_.get(), reinterpret_cast<unsigned char*>(out.data()),
                                 out.size(), kLabel.data(), kLabel.size(), nullptr, 0, 0);
  check(ok == 1, Code::internal, "OpenSSL gave no channel binding");
  return out;
}

std::string TlsLink::cipher() const {
  return std::string(SSL_get_version(ssl_.get())) + " " + SSL_get_cipher_name(ssl_.get());
}

}  // namespace petcore::net
