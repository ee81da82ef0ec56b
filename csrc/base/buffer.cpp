#include "base/buffer.h"

#include <openssl/crypto.h>

#include <limits>
#include <new>

namespace petcore {

void wipe(void* data, std::size_t num_bytes) { OPENSSL_cleanse(data, num_bytes); }

namespace detail {

void* allocate_aligned(std::size_t size, std::size_t item_bytes) {
  if (size > std::numeric_limits<std::size_t>::max() / item_bytes) throw std::bad_alloc();
  const std::size_t num_bytes = size * item_bytes;
  return ::operator new(num_bytes == 0 ? 1 : num_bytes, std::align_val_t{64});
}

void free_aligned(void* data, std::size_t num_bytes) {
  wipe(data, num_bytes);
  ::operator delete(data, std::align_val_t{64});
}

}  // namespace detail
}  // namespace petcore
