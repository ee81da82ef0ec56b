#include "base/buffer.h"

#include <sys/mman.h>

#include <cstring>
#include <limits>
#include <new>

namespace petcore {
namespace {

// From here on memory comes from the system page by page and goes back there: in large pages, which
// cost hundreds of times fewer faults, and without wiping, since no process gets a page of another
// unwiped.
constexpr std::size_t kPagesBytesMin = std::size_t{4} << 20;

void* map_pages(std::size_t num_bytes) {
  void* const data =
      ::mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  ::madvise(data, num_bytes, MADV_HUGEPAGE);  // advice: small pages do as well
#endif
  return data;
}

}  // namespace

void wipe(void* data, std::size_t num_bytes) {
  if (num_bytes > 0) std::memset(data, 0, num_bytes);
  __asm__ __volatile__("" : : "r"(data) : "memory");  // whoever reads on: the zeros are wanted
}

namespace detail {

void* allocate_aligned(std::size_t size, std::size_t item_bytes) {
  if (size > std::numeric_limits<std::size_t>::max() / item_bytes) throw std::bad_alloc();
  const std::size_t num_bytes = size * item_bytes;
  if (num_bytes >= kPagesBytesMin) return map_pages(num_bytes);
  return ::operator new(num_bytes == 0 ? 1 : num_bytes, std::align_val_t{64});
}

void free_aligned(void* data, std::size_t num_bytes) {
  if (num_bytes >= kPagesBytesMin) {
    ::munmap(data, num_bytes);
    return;
  }
  wipe(data, num_bytes);
  ::operator delete(data, std::align_val_t{64});
}

}  // namespace detail
}  // namespace petcore
