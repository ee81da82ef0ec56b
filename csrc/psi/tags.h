// Tags: the ends of masked items, by which two parties see what they have in common.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"

namespace petcore::psi {

// Tag is a little-endian number of at most 16 bytes.
struct Tag {
  std::uint64_t low = 0, high = 0;
  friend auto operator<=>(const Tag&, const Tag&) = default;
};

Tag read_tag(ConstBytes in);
void write_tag(Bytes out, const Tag& tag);

// TagSet answers whether a tag is among those given. Tags are pseudorandom, so that their low bits
// are a hash already; equal ones are kept once.
class TagSet {
 public:
  explicit TagSet(std::span<const Tag> tags);
  bool contains(const Tag& tag) const;

 private:
  struct Slot {
    Tag tag;
    bool used = false;
  };
  std::size_t slot_of(const Tag& tag) const;  // where it is, or where it would go

  std::vector<Slot> slots_;
};

struct TaggedPosition {
  Tag tag;
  std::uint64_t position;
};

// in_common_order sorts by tag: whoever holds the same tags gets the same order of items.
Buffer<std::uint64_t> in_common_order(std::vector<TaggedPosition>& common);

}  // namespace petcore::psi
