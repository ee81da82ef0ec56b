#include "base/buffer.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <limits>
#include <new>

namespace petcore {

void wipe(void* data, std::size_t num_bytes) { OPENSSL_cleanse(data, num_bytes); }

namespace {

// The first touch of fresh memory costs as much as the work on it when pages are small. Large
// buffers ask for huge pages; the system may refuse, so the answer does not matter.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::align_val_t alignment(std::size_t num_bytes) {
  return std::align_val_t{num_bytes >= 2 * kHugePage ? kHugePage : 64};
}

}  // namespace

namespace detail {

void* allocate_aligned(std::size_t size, std::size_t item_bytes) {
  if (size > std::numeric_limits<std::size_t>::max() / item_bytes) throw std::bad_alloc();
  const std::size_t num_bytes = size * item_bytes;
  void* data = ::operator new(num_bytes == 0 ? 1 : num_bytes, alignment(num_bytes));
#if defined(MADV_HUGEPAGE)
  if (num_bytes >= 2 * kHugePage) madvise(data, num_bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return data;
}

void free_aligned(void* data, std::size_t num_bytes) {
  wipe(data, num_bytes);
  ::operator delete(data, alignment(num_bytes));
}

}  // namespace detail
}  // namespace petcore
