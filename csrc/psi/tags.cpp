#include "psi/tags.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"

namespace petcore::psi {

Tag read_tag(ConstBytes in) {
  check(in.size() <= 16, Code::internal, "a tag has at most 16 bytes");
  std::array<std::byte, 16> bytes{};
  std::copy(in.begin(), in.end(), bytes.begin());
  return {load_le<std::uint64_t>(bytes.data()), load_le<std::uint64_t>(bytes.data() + 8)};
}

void write_tag(Bytes out, const Tag& tag) {
  check(out.size() <= 16, Code::internal, "a tag has at most 16 bytes");
  std::array<std::byte, 16> bytes;
  store_le(bytes.data(), tag.low);
  store_le(bytes.data() + 8, tag.high);
  std::copy_n(bytes.begin(), out.size(), out.begin());
}

TagSet::TagSet(std::span<const Tag> tags) : slots_(std::bit_ceil(2 * tags.size() + 1)) {
  for (const Tag& tag : tags) slots_[slot_of(tag)] = {tag, true};
}

bool TagSet::contains(const Tag& tag) const { return slots_[slot_of(tag)].used; }

std::size_t TagSet::slot_of(const Tag& tag) const {
  std::size_t slot = tag.low & (slots_.size() - 1);
  while (slots_[slot].used && slots_[slot].tag != tag) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

Buffer<std::uint64_t> in_common_order(std::vector<TaggedPosition>& common) {
  std::sort(common.begin(), common.end(), [](const TaggedPosition& x, const TaggedPosition& y) {
    return std::pair(x.tag, x.position) < std::pair(y.tag, y.position);
  });
  Buffer<std::uint64_t> positions(common.size());
  for (std::size_t i = 0; i < common.size(); ++i) positions[i] = common[i].position;
  return positions;
}

}  // namespace petcore::psi
