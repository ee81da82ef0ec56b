#include "net/memory_channel.h"

#include <openssl/rand.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>

#include "base/process.h"

namespace petcore::net {
namespace {

constexpr std::size_t kQueueBytes = 1 << 20;

// ByteQueue is a ring of kQueueBytes.
struct ByteQueue {
  std::unique_ptr<std::byte[]> ring = std::make_unique_for_overwrite<std::byte[]>(kQueueBytes);
  std::size_t begin = 0, count = 0;

  std::size_t push(ConstBytes in) {
    const std::size_t n = std::min(in.size(), kQueueBytes - count);
    const std::size_t at = (begin + count) % kQueueBytes;
    const std::size_t first = std::min(n, kQueueBytes - at);
    if (n > 0) std::memcpy(ring.get() + at, in.data(), first);
    if (n > first) std::memcpy(ring.get(), in.data() + first, n - first);
    count += n;
    return n;
  }
  std::size_t pop(Bytes out) {
    const std::size_t n = std::min(out.size(), count);
    const std::size_t first = std::min(n, kQueueBytes - begin);
    if (n > 0) std::memcpy(out.data(), ring.get() + begin, first);
    if (n > first) std::memcpy(out.data() + first, ring.get(), n - first);
    begin = (begin + n) % kQueueBytes;
    count -= n;
    return n;
  }
};

}  // namespace

struct MemoryEnd::Pipe {
  std::mutex mutex;
  std::condition_variable changed;
  ByteQueue queue[2];  // queue[i]: what side i wrote
  bool shut[2] = {false, false};
  std::array<std::byte, 32> binding{};
};

std::pair<MemoryEnd, MemoryEnd> MemoryEnd::make_pair(
    const std::optional<std::array<std::byte, 32>>& binding) {
  auto pipe = std::make_shared<Pipe>();
  if (binding) {
    pipe->binding = *binding;
    return {MemoryEnd(pipe, 0), MemoryEnd(pipe, 1)};
  }
  check(RAND_bytes(reinterpret_cast<unsigned char*>(pipe->binding.data()), 32) == 1, Code::entropy,
        "the system's random number generator failed");
  return {MemoryEnd(pipe, 0), MemoryEnd(pipe, 1)};
}

std::size_t MemoryEnd::read_some(Bytes out) {
  const std::lock_guard lock(pipe_->mutex);
  check(!pipe_->shut[side_], Code::closed, "this end was closed");
  const std::size_t n = pipe_->queue[1 - side_].pop(out);
  if (n == 0 && !out.empty())
    check(!pipe_->shut[1 - side_], Code::closed, "end of the byte stream");
  if (n > 0) pipe_->changed.notify_all();
  return n;
}

std::size_t MemoryEnd::write_some(ConstBytes in) {
  const std::lock_guard lock(pipe_->mutex);
  check(!pipe_->shut[side_], Code::closed, "this end was closed");
  check(!pipe_->shut[1 - side_], Code::closed, "nobody reads any more");
  const std::size_t n = pipe_->queue[side_].push(in);
  if (n > 0) pipe_->changed.notify_all();
  return n;
}

void MemoryEnd::wait_ready(bool want_read, bool want_write, milliseconds timeout) {
  std::unique_lock lock(pipe_->mutex);
  pipe_->changed.wait_for(lock, timeout, [&] {
    return pipe_->shut[0] || pipe_->shut[1] || (want_read && pipe_->queue[1 - side_].count > 0) ||
           (want_write && pipe_->queue[side_].count < kQueueBytes);
  });
}

void MemoryEnd::shut() noexcept {
  const std::lock_guard lock(pipe_->mutex);
  pipe_->shut[side_] = true;
  pipe_->changed.notify_all();
}

std::array<std::byte, 32> MemoryEnd::binding() const { return pipe_->binding; }

namespace {

class MemoryChannel final : public Channel {
 public:
  MemoryChannel(MemoryEnd end, const std::string& peer_name, const Limits& limits)
      : Channel({peer_name, "in this process"}, limits), end_(std::move(end)) {}
  ~MemoryChannel() override {
    if (born_.here())
      end_.shut();
    else  // a child of fork() leaves it behind: threads that it lacks may hold the locks
      static_cast<void>(new MemoryEnd(std::move(end_)));
  }
  std::array<std::byte, 32> binding() const override { return end_.binding(); }
  std::string transport() const override { return "memory"; }

 protected:
  std::size_t read_some(Bytes out) override { return end_.read_some(out); }
  std::size_t write_some(ConstBytes in) override { return end_.write_some(in); }
  void wait_ready(bool want_read, bool want_write, milliseconds timeout) override {
    end_.wait_ready(want_read, want_write, timeout);
  }
  void shut(milliseconds) noexcept override { end_.shut(); }

 private:
  const Born born_;
  MemoryEnd end_;
};

}  // namespace

std::unique_ptr<Channel> make_memory_channel(MemoryEnd end, const std::string& peer_name,
                                             const Limits& limits) {
  return std::make_unique<MemoryChannel>(std::move(end), peer_name, limits);
}

std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> make_memory_channels(
    const std::string& name_a, const std::string& name_b, const Limits& limits) {
  auto [a, b] = MemoryEnd::make_pair();
  return {make_memory_channel(std::move(a), name_b, limits),
          make_memory_channel(std::move(b), name_a, limits)};
}

}  // namespace petcore::net
