#include "base/buffer.h"

#include <openssl/crypto.h>

#include <new>

namespace petcore {

void wipe(void* data, std::size_t num_bytes) { OPENSSL_cleanse(data, num_bytes); }

namespace detail {

void* allocate_aligned(std::size_t num_bytes) {
  return ::operator new(num_bytes == 0 ? 1 : num_bytes, std::align_val_t{64});
}

void free_aligned(void* data, std::size_t num_bytes) {
  wipe(data, num_bytes);
  ::operator delete(data, std::align_val_t{64});
}

}  // namespace detail
}  // namespace petcore
