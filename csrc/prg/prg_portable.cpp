// The portable target: AES from OpenSSL, which picks a constant-time implementation where the
// processor or its vector unit offers one.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>

#include "base/buffer.h"
#include "base/error.h"
#include "prg/prg_kernels.h"

namespace petcore::prg {
namespace {

constexpr std::size_t kChunkBlocks = 256;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

class Ecb {
 public:
  explicit Ecb(const std::byte* key) : context_(EVP_CIPHER_CTX_new()) {
    static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr);
    const auto* bytes = reinterpret_cast<const unsigned char*>(key);
    const bool ready = context_ != nullptr && cipher != nullptr &&
                       EVP_EncryptInit_ex2(context_.get(), cipher, bytes, nullptr, nullptr) == 1 &&
                       EVP_CIPHER_CTX_set_padding(context_.get(), 0) == 1;
    check(ready, Code::internal, "OpenSSL offers no AES-128");
  }

  void encrypt(std::byte* out, const std::byte* in, std::size_t num_blocks) {
    while (num_blocks > 0) {
      const std::size_t now = std::min<std::size_t>(num_blocks, std::size_t{1} << 20);
      const int size = static_cast<int>(now * kBlockBytes);
      int written = 0;
      const int done =
          EVP_EncryptUpdate(context_.get(), reinterpret_cast<unsigned char*>(out), &written,
                            reinterpret_cast<const unsigned char*>(in), size);
      check(done == 1 && written == size, Code::internal, "OpenSSL failed to encrypt");
      out += size;
      in += size;
      num_blocks -= now;
    }
  }

 private:
  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context_;
};

void put_block(std::byte* out, std::uint64_t low, std::uint64_t high) {
  std::memcpy(out, &low, 8);
  std::memcpy(out + 8, &high, 8);
}

void xor_words(std::byte* out, const std::byte* x, std::size_t num_bytes) {
  for (std::size_t i = 0; i < num_bytes; i += 8) {
    std::uint64_t a, b;
    std::memcpy(&a, out + i, 8);
    std::memcpy(&b, x + i, 8);
    a ^= b;
    std::memcpy(out + i, &a, 8);
  }
}

void expand(std::byte* schedule, const std::byte* key) {
  std::memcpy(schedule, key, kBlockBytes);
  std::memset(schedule + kBlockBytes, 0, kScheduleBytes - kBlockBytes);
}

void encrypt(const std::byte* schedule, std::byte* out, const std::byte* in,
             std::size_t num_blocks) {
  Ecb(schedule).encrypt(out, in, num_blocks);
}

void mix_words(std::byte* out, const std::byte* x, const std::byte* stream, std::size_t num_bytes,
               Mix mix) {
  for (std::size_t i = 0; i < num_bytes; i += 8) {
    std::uint64_t a, s;
    std::memcpy(&a, x + i, 8);
    std::memcpy(&s, stream + i, 8);
    a = mix == Mix::add ? a + s : mix == Mix::subtract ? a - s : a ^ s;
    std::memcpy(out + i, &a, 8);
  }
}

void counter(const Run& run) {
  Ecb cipher(run.schedule);
  alignas(64) std::array<std::byte, kChunkBlocks * kBlockBytes> made;
  const bool mixes = run.mix != Mix::keystream;
  for (std::size_t done = 0; done < run.num_blocks; done += kChunkBlocks) {
    const std::size_t now = std::min(kChunkBlocks, run.num_blocks - done);
    const std::size_t at = done * kBlockBytes, size = now * kBlockBytes;
    std::byte* to = mixes ? made.data() : run.out + at;
    for (std::size_t i = 0; i < now; ++i)
      put_block(to + i * kBlockBytes, __builtin_bswap64(run.high),
                __builtin_bswap64(run.low + done + i));
    cipher.encrypt(to, to, now);
    if (run.stream != nullptr) std::memcpy(run.stream + at, to, size);
    if (mixes) mix_words(run.out + at, run.x + at, to, size, run.mix);
  }
  if (mixes) wipe(made.data(), made.size());
}

void hash(const std::byte* schedule, std::byte* out, const std::byte* in, std::size_t num_blocks,
          std::uint64_t tweak_high, std::uint64_t tweak_low) {
  Ecb cipher(schedule);
  alignas(64) std::array<std::byte, kChunkBlocks * kBlockBytes> once, tweaked;
  for (std::size_t done = 0; done < num_blocks; done += kChunkBlocks) {
    const std::size_t now = std::min(kChunkBlocks, num_blocks - done);
    const std::size_t at = done * kBlockBytes, size = now * kBlockBytes;
    cipher.encrypt(once.data(), in + at, now);
    for (std::size_t i = 0; i < now; ++i)
      put_block(tweaked.data() + i * kBlockBytes, tweak_low + done + i, tweak_high);
    xor_words(tweaked.data(), once.data(), size);
    cipher.encrypt(tweaked.data(), tweaked.data(), now);
    xor_words(tweaked.data(), once.data(), size);
    std::memcpy(out + at, tweaked.data(), size);
  }
  wipe(once.data(), once.size());
  wipe(tweaked.data(), tweaked.size());
}

void hash_low_words(const std::byte* schedule, std::uint64_t* out, const std::byte* in,
                    const std::byte* offset, std::size_t num_blocks, std::uint64_t tweak_high,
                    std::uint64_t tweak_low) {
  Buffer<std::byte> made(num_blocks * kBlockBytes);
  for (std::size_t i = 0; i < made.size(); i += kBlockBytes) {
    std::memcpy(&made[i], in + i, kBlockBytes);
    xor_words(&made[i], offset, kBlockBytes);
  }
  hash(schedule, made.data(), made.data(), num_blocks, tweak_high, tweak_low);
  for (std::size_t i = 0; i < num_blocks; ++i) std::memcpy(&out[i], &made[i * kBlockBytes], 8);
}

void fold(const Fold& run) {
  const std::size_t num_bytes = run.num_blocks * kBlockBytes;
  Buffer<std::byte> made(num_bytes);
  if (run.sum != nullptr) std::memset(run.sum, 0, num_bytes);
  for (unsigned j = 0; j < run.num_bits; ++j)
    std::memset(run.of_bits + j * run.stride, 0, num_bytes);
  for (std::size_t x = run.skip_first ? 1 : 0; x >> run.num_bits == 0; ++x) {
    counter({.schedule = run.schedules + x * kScheduleBytes,
             .num_blocks = run.num_blocks,
             .high = run.high,
             .low = run.low,
             .mix = Mix::keystream,
             .out = made.data(),
             .x = nullptr,
             .stream = nullptr,
             .around_cache = false});
    if (run.sum != nullptr) xor_words(run.sum, made.data(), num_bytes);
    for (unsigned j = 0; j < run.num_bits; ++j)
      if ((x >> j & 1) != 0) xor_words(run.of_bits + j * run.stride, made.data(), num_bytes);
  }
}

constexpr Kernels kKernels = {expand, counter, encrypt, hash, hash_low_words, fold};

}  // namespace

constinit const Kernels* const kPortable = &kKernels;

}  // namespace petcore::prg
