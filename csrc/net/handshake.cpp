#include "net/handshake.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "net/frame.h"

namespace petcore::net {
namespace {

constexpr std::size_t kTermsMax = 64;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kValueBytesMax = 1024;
constexpr const char* kContext = "petcore terms 1";

using Digest = std::array<std::byte, 32>;

std::vector<std::byte> encode(const Terms& terms) {
  check(terms.size() <= kTermsMax, Code::usage, "a handshake has more than 64 terms");
  ByteWriter writer;
  writer.put(static_cast<std::uint32_t>(terms.size()));
  for (const auto& [name, value] : terms) {
    check(name.size() <= kNameBytesMax && value.size() <= kValueBytesMax, Code::usage,
          "a term of the handshake is longer than 64 (name) or 1024 (value) bytes");
    writer.put_string(name);
    writer.put_string(value);
  }
  return writer.bytes();
}

Terms decode(ConstBytes message) {
  ByteReader reader(message);
  const auto count = reader.get<std::uint32_t>();
  check(count <= kTermsMax, Code::frame, "the handshake has more than 64 terms");
  Terms terms;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string name = reader.get_string(kNameBytesMax);
    terms.emplace_back(std::move(name), reader.get_string(kValueBytesMax));
  }
  reader.expect_end();
  return terms;
}

std::optional<std::string> find(const Terms& terms, const std::string& name) {
  const auto found = std::find_if(terms.begin(), terms.end(),
                                  [&](const auto& term) { return term.first == name; });
  if (found == terms.end()) return std::nullopt;
  return found->second;
}

std::string quoted(const std::optional<std::string>& value) {
  if (!value) return "nothing";
  return std::string("'").append(printable(*value, kValueBytesMax)).append("'");
}

// first_difference is empty if both sides say the same, in whatever order.
std::string first_difference(const Terms& mine, const Terms& theirs, const std::string& peer) {
  const auto compare = [&](const std::string& name) -> std::string {
    const auto here = find(mine, name), there = find(theirs, name);
    if (here == there) return {};
    return "the term '" + printable(name, kNameBytesMax) + "' is " + quoted(here) + " here and " +
           quoted(there) + " at " + peer;
  };
  for (const Terms* side : {&mine, &theirs})
    for (const auto& term : *side)
      if (std::string text = compare(term.first); !text.empty()) return text;
  return {};
}

Digest digest(const Channel& channel, const Terms& terms) {
  const std::map<std::string, std::string> sorted(terms.begin(), terms.end());
  ByteWriter writer;
  writer.put_string(kContext);
  writer.put_raw(channel.binding());
  writer.put_raw(encode(Terms(sorted.begin(), sorted.end())));
  Digest out;
  const int ok =
      EVP_Digest(writer.bytes().data(), writer.bytes().size(),
                 reinterpret_cast<unsigned char*>(out.data()), nullptr, EVP_sha256(), nullptr);
  check(ok == 1, Code::internal, "SHA-256 failed");
  return out;
}

Terms receive_terms(Channel& channel, const Step& step) {
  const Peer& peer = channel.peer();
  try {
    return decode(channel.recv_message(step));
  } catch (const Error& error) {
    if (!error.party().empty()) throw;
    throw Error(Code::frame, peer.name + " sent terms that cannot be read: " + error.what(),
                peer.name, peer.address, step.what);
  }
}

// compare raises the first difference, then makes sure that both ends mean this connection.
void compare(Channel& channel, const Terms& terms, const Terms& theirs, const Step& step) {
  const Peer& peer = channel.peer();
  const auto fail = [&](const std::string& text) {
    throw Error(Code::handshake, text, peer.name, peer.address, step.what);
  };
  const std::string difference = first_difference(terms, theirs, peer.name);
  if (!difference.empty())
    fail(difference + ". All parties must configure the same; then start again");
  const Digest mine = digest(channel, terms);
  channel.send_message(step, mine);
  const std::vector<std::byte> other = channel.recv_message(step);
  if (other.size() != mine.size() || CRYPTO_memcmp(other.data(), mine.data(), mine.size()) != 0)
    fail(peer.name +
         " agreed to the terms on another connection than this one: "
         "someone stands between, or its petcore release differs");
}

}  // namespace

void agree(Channel& channel, const Terms& terms, const Step& step) {
  const Peer& peer = channel.peer();
  for (std::size_t i = 0; i < terms.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (terms[i].first == terms[j].first)
        throw Error(Code::usage, "the term '" + terms[i].first + "' is given twice", peer.name,
                    peer.address, step.what);
  channel.send_message(step, encode(terms));
  compare(channel, terms, receive_terms(channel, step), step);
}

void answer(Channel& channel, const std::function<Terms(const Terms&)>& choose, const Step& step) {
  const Terms theirs = receive_terms(channel, step);
  const Terms mine = choose(theirs);
  channel.send_message(step, encode(mine));
  compare(channel, mine, theirs, step);
}

}  // namespace petcore::net
