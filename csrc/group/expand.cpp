#include "group/expand.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/error.h"

namespace petcore::group {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Hash is SHA-256 in steps. The algorithm is fetched once: each fetch takes a lock.
class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new()) { begin(); }
  void begin() { hold(EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr)); }
  void add(ConstBytes bytes) { hold(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size())); }
  Digest end() {
    Digest digest;
    hold(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                            nullptr));
    return digest;
  }

 private:
  static void hold(int ok) { check(ok == 1, Code::internal, "OpenSSL gave no SHA-256"); }
  static const EVP_MD* algorithm() {
    static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    check(fetched != nullptr, Code::internal, "OpenSSL offers no SHA-256");
    return fetched;
  }

  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
};

}  // namespace

Digest sha256(std::span<const ConstBytes> parts) {
  Hash hash;
  for (const ConstBytes part : parts) hash.add(part);
  return hash.end();
}

void expand_message(Bytes out, std::span<const ConstBytes> message, std::string_view tag) {
  constexpr std::array<std::byte, 64> kBlockOfZeros{};
  check(!tag.empty() && tag.size() <= 255, Code::usage, "a tag has 1 to 255 bytes");
  check(out.size() <= 255 * std::tuple_size_v<Digest>, Code::usage,
        "at most 8,160 bytes are made of one message");
  const auto tag_size = static_cast<std::byte>(tag.size());
  const std::array<std::byte, 3> size_and_zero = {static_cast<std::byte>(out.size() >> 8),
                                                  static_cast<std::byte>(out.size()), std::byte{0}};
  Hash hash;
  hash.add(kBlockOfZeros);
  for (const ConstBytes part : message) hash.add(part);
  hash.add(size_and_zero);
  hash.add(bytes_of(tag));
  hash.add({&tag_size, 1});
  const Digest first = hash.end();
  Digest block{};
  std::size_t done = 0;
  for (unsigned index = 1; done < out.size(); ++index) {
    for (std::size_t i = 0; i < block.size(); ++i) block[i] ^= first[i];
    const auto counter = static_cast<std::byte>(index);
    hash.begin();
    hash.add(block);
    hash.add({&counter, 1});
    hash.add(bytes_of(tag));
    hash.add({&tag_size, 1});
    block = hash.end();
    const std::size_t size = std::min(block.size(), out.size() - done);
    std::copy_n(block.begin(), size, out.begin() + static_cast<std::ptrdiff_t>(done));
    done += size;
  }
}

}  // namespace petcore::group
