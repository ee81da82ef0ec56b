#include "psi/digest.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "hash/mmo.h"

namespace petcore::psi {
namespace {

constexpr std::size_t kBatch = 256;  // ids that go through AES together
constexpr std::size_t kBlockBytes = 16, kHeadBytes = 8, kGrain = 4096;
constexpr std::size_t kAhead = 16;  // slots asked for before they are looked at

// block_of gives block j of the padded message of one id; block 0 begins with its length.
Block block_of(ConstBytes id, std::size_t j) {
  std::array<std::byte, kBlockBytes> bytes{};
  const std::size_t room = j == 0 ? kBlockBytes - kHeadBytes : kBlockBytes;
  const std::size_t begin = j == 0 ? 0 : j * kBlockBytes - kHeadBytes;
  const std::size_t n = std::min(room, id.size() - std::min(begin, id.size()));
  if (j == 0) store_le<std::uint64_t>(bytes.data(), id.size());
  if (n > 0) std::memcpy(bytes.data() + (kBlockBytes - room), id.data() + begin, n);
  return {load_le<std::uint64_t>(bytes.data()), load_le<std::uint64_t>(bytes.data() + 8)};
}

std::size_t num_blocks(std::size_t id_bytes) {
  return (id_bytes + kHeadBytes + kBlockBytes - 1) / kBlockBytes;
}

// digest_batch drops an id from the batch as soon as its last block went in.
void digest_batch(std::span<Block> out, const Ids& ids, std::size_t first, const hash::Mmo& aes) {
  std::array<Block, kBatch> input, state{};
  std::array<std::size_t, kBatch> live;
  std::size_t num_live = out.size();
  for (std::size_t i = 0; i < num_live; ++i) live[i] = i;
  for (std::size_t j = 0; num_live > 0; ++j) {
    std::array<std::size_t, kBatch> left;
    std::size_t num_left = 0;
    for (std::size_t k = 0; k < num_live; ++k) {
      const std::size_t at = first + live[k], begin = at == 0 ? 0 : ids.ends[at - 1];
      const ConstBytes id = ids.bytes.subspan(begin, ids.ends[at] - begin);
      input[k] = state[k] ^ block_of(id, j);
      if (num_blocks(id.size()) > j + 1) left[num_left++] = k;
    }
    aes.encrypt(std::span(input).first(num_live), std::span(input).first(num_live));
    if (num_left < num_live)
      for (std::size_t k = 0; k < num_live; ++k) out[live[k]] = input[k];
    for (std::size_t k = 0; k < num_left; ++k) {
      state[k] = input[left[k]];
      live[k] = live[left[k]];
    }
    num_live = num_left;
  }
}

// Seen is a set of digests by open addressing; the digests are already pseudorandom.
class Seen {
 public:
  explicit Seen(std::span<const Block> digests)
      : digests_(digests), slots_(std::bit_ceil(2 * digests.size() + 1)) {
    check(digests.size() < kNone, Code::usage, "at most 2^32 - 1 ids go together; pass fewer");
    std::fill(slots_.begin(), slots_.end(), kNone);
  }
  void expect(std::size_t i) const { __builtin_prefetch(&slots_[slot_of(digests_[i])], 1); }
  // put returns the index of an equal digest that was put before, or i itself.
  std::size_t put(std::size_t i) {
    for (std::size_t slot = slot_of(digests_[i]);; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot] == kNone) {
        slots_[slot] = static_cast<std::uint32_t>(i);
        return i;
      }
      if (digests_[slots_[slot]] == digests_[i]) return slots_[slot];
    }
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::size_t slot_of(const Block& digest) const { return digest.low & (slots_.size() - 1); }

  std::span<const Block> digests_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace

void digest_ids(std::span<Block> out, const Ids& ids, const prg::Seed& key, Pool& pool) {
  check(out.size() == ids.ends.size(), Code::usage, "digests and ids differ in number");
  std::uint64_t before = 0;
  for (const std::uint64_t end : ids.ends) {
    check(before <= end && end <= ids.bytes.size(), Code::usage,
          "the ends of ids must grow and stay within their bytes");
    before = end;
  }
  const hash::Mmo aes(key);
  pool.parallel_for(out.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; begin += std::min(kBatch, end - begin))
      digest_batch(out.subspan(begin, std::min(kBatch, end - begin)), ids, begin, aes);
  });
}

std::optional<Repeat> find_repeat(std::span<const Block> digests) {
  Seen seen(digests);
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (i + kAhead < digests.size()) seen.expect(i + kAhead);
    const std::size_t first = seen.put(i);
    if (first != i) return Repeat{first, i};
  }
  return std::nullopt;
}

Buffer<std::uint64_t> first_of_each(std::span<const Block> digests) {
  Seen seen(digests);
  std::vector<std::uint64_t> kept;
  kept.reserve(digests.size());
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (i + kAhead < digests.size()) seen.expect(i + kAhead);
    if (seen.put(i) == i) kept.push_back(i);
  }
  Buffer<std::uint64_t> out(kept.size());
  std::copy(kept.begin(), kept.end(), out.begin());
  return out;
}

}  // namespace petcore::psi
