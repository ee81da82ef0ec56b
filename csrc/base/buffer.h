// Buffer: uninitialised, 64-byte aligned, move-only memory that wipes itself when freed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace petcore {

// wipe overwrites memory in a way that the compiler may not drop.
void wipe(void* data, std::size_t num_bytes);

namespace detail {
// allocate_aligned raises std::bad_alloc also where size * item_bytes does not fit size_t.
void* allocate_aligned(std::size_t size, std::size_t item_bytes);
void free_aligned(void* data, std::size_t num_bytes);
}  // namespace detail

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size)
      : data_(static_cast<T*>(detail::allocate_aligned(size, sizeof(T)))), size_(size) {}
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (data_ != nullptr) detail::free_aligned(data_, size_ * sizeof(T));
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  std::span<T> span() { return {data_, size_}; }
  std::span<const T> span() const { return {data_, size_}; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

using Words = std::span<std::uint64_t>;
using ConstWords = std::span<const std::uint64_t>;
using Bytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;

}  // namespace petcore
