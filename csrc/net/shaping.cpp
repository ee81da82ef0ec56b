#include "net/shaping.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <deque>
#include <string>
#include <thread>
#include <utility>

#include "base/process.h"

namespace petcore::net {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kChunkBytes = 32 << 10;
constexpr std::size_t kRoomBytes = 1 << 20;  // beyond what the line carries
constexpr nanoseconds kOneWayMax = std::chrono::seconds(10);
constexpr double kBytesPerSecondMin = 1000;
constexpr nanoseconds kIdle = std::chrono::milliseconds(100);
constexpr milliseconds kDrainMax{5000};
constexpr milliseconds kLastPatience{200};

void check_shape(const LinkShape& shape) {
  check(shape.one_way.count() >= 0 && shape.one_way <= kOneWayMax, Code::usage,
        "the added round trip must be between 0 and 20 s");
  check(std::isfinite(shape.bytes_per_second) &&
            (shape.bytes_per_second == 0 || shape.bytes_per_second >= kBytesPerSecondMin),
        Code::usage, "the bandwidth must be at least 8 kbit/s, or 0 for no bound");
}

std::size_t capacity(const LinkShape& shape) {
  if (shape.bytes_per_second == 0) return Shaper::kShaperBytesMax;
  const double carried =
      shape.bytes_per_second * std::chrono::duration<double>(shape.one_way).count();
  const double most = static_cast<double>(Shaper::kShaperBytesMax - kRoomBytes);
  return static_cast<std::size_t>(std::min(carried, most)) + kRoomBytes;
}

std::pair<Socket, Socket> make_pair_of_sockets() {
  std::array<int, 2> ends{};
  const int rc = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data());
  if (rc != 0)
    throw Error(Code::internal,
                std::string("a shaped link needs a pair of sockets: ") + std::strerror(errno));
  return {Socket(ends[0]), Socket(ends[1])};
}

// Line is the delayed direction: chunks wait until they are due.
class Line {
 public:
  explicit Line(const LinkShape& shape) : shape_(shape), capacity_(capacity(shape)) {}

  bool has_room() const { return bytes_ < capacity_; }
  bool empty() const { return chunks_.empty(); }
  void clear() {
    chunks_.clear();
    bytes_ = 0;
  }
  Clock::time_point due() const { return chunks_.front().due; }

  void put(ConstBytes bytes, Clock::time_point now) {
    const double seconds = shape_.bytes_per_second == 0
                               ? 0
                               : static_cast<double>(bytes.size()) / shape_.bytes_per_second;
    sent_until_ = std::max(sent_until_, now) +
                  std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(seconds));
    chunks_.push_back({sent_until_ + shape_.one_way, {bytes.begin(), bytes.end()}});
    bytes_ += bytes.size();
  }

  // release writes what is due; false if the socket takes nothing now.
  bool release(Socket& to, Clock::time_point now) {
    while (!chunks_.empty() && due() <= now) {
      Chunk& chunk = chunks_.front();
      const std::size_t n = to.write_some(ConstBytes(chunk.bytes).subspan(chunk.begin));
      if (n == 0) return false;
      chunk.begin += n;
      bytes_ -= n;
      if (chunk.begin == chunk.bytes.size()) chunks_.pop_front();
    }
    return true;
  }

 private:
  struct Chunk {
    Clock::time_point due;
    std::vector<std::byte> bytes;
    std::size_t begin = 0;
  };
  LinkShape shape_;
  std::size_t capacity_, bytes_ = 0;
  Clock::time_point sent_until_{};
  std::deque<Chunk> chunks_;
};

}  // namespace

struct Shaper::Relay {
  Relay(Socket near_end, Socket far_end, const LinkShape& shape)
      : near(std::move(near_end)), far(std::move(far_end)), line(shape) {}

  void run() noexcept {
    try {
      while (step()) {
      }
    } catch (...) {
      // Out of memory: both ends see the link close.
    }
    near.close();
    far.shut(hurry ? milliseconds(0) : kLastPatience);
  }

  // step moves what can move now and waits once; false when nothing can come any more.
  bool step() {
    const auto now = Clock::now();
    take_from_near(now);
    pass_on(now);
    pass_back();
    if (near_ended && line.empty()) return false;
    if (leaving && (hurry || now > (leave_until = std::min(leave_until, now + kDrainMax))))
      return false;
    if (far_deaf && far_ended && !inward_waits()) return false;
    wait();
    return true;
  }

  void take_from_near(Clock::time_point now) {
    try {
      while (!near_ended && line.has_room()) {
        const std::size_t n = near.read_some(chunk);
        if (n == 0) return;
        if (!far_deaf) line.put(std::span(chunk).first(n), now);
      }
    } catch (const Error&) {
      near_ended = true;  // what was written before still travels
    }
  }

  void pass_on(Clock::time_point now) {
    try {
      clogged = !line.release(far, now);
    } catch (const Error&) {
      line.clear();
      clogged = false;
      far_deaf = true;  // its last words may still wait to be read
      ::shutdown(near.descriptor(), SHUT_RD);
    }
  }

  void pass_back() {
    while (true) {
      if (!inward_waits() && !take_from_far()) return;
      if (near_ended) inward_begin = inward_end;  // nobody reads any more
      try {
        const std::size_t n =
            near.write_some(ConstBytes(inward).subspan(inward_begin, inward_end - inward_begin));
        inward_begin += n;
        if (n == 0) return;
      } catch (const Error&) {
        inward_begin = inward_end;
      }
    }
  }

  bool inward_waits() const { return inward_begin < inward_end; }

  bool take_from_far() {
    inward_begin = inward_end = 0;
    if (far_ended) return false;
    try {
      inward_end = far.read_some(inward);
    } catch (const Error&) {
      far_ended = true;
      ::shutdown(near.descriptor(), SHUT_WR);
    }
    return inward_end > 0;
  }

  void wait() {
    // An end of which nothing is wanted is left out: a closed one would be ready for ever.
    const auto polled = [](const Socket& socket, bool in, bool out) {
      return pollfd{in || out ? socket.descriptor() : -1,
                    static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0)), 0};
    };
    std::array<pollfd, 2> ends{polled(near, !near_ended && line.has_room(), inward_waits()),
                               polled(far, !far_ended && !inward_waits(), clogged)};
    nanoseconds time = kIdle;
    if (!line.empty() && !clogged)
      time = std::clamp<nanoseconds>(line.due() - Clock::now(), nanoseconds(0), kIdle);
    const timespec timeout{time.count() / 1'000'000'000, time.count() % 1'000'000'000};
    ::ppoll(ends.data(), ends.size(), &timeout, nullptr);
  }

  const Born born;
  Socket near, far;
  Line line;
  std::array<std::byte, kChunkBytes> chunk;
  std::vector<std::byte> inward = std::vector<std::byte>(256 << 10);
  std::size_t inward_begin = 0, inward_end = 0;
  bool near_ended = false, far_ended = false;  // nothing more can be read there
  bool far_deaf = false, clogged = false;
  Clock::time_point leave_until = Clock::time_point::max();
  std::atomic<bool> leaving{false}, hurry{false};
  std::thread thread;
};

Shaper::Shaper(std::unique_ptr<Relay> relay) : relay_(std::move(relay)) {
  relay_->thread = std::thread([relay = relay_.get()] { relay->run(); });
}

void Shaper::drop_unsent() noexcept { relay_->hurry = true; }

Shaper::~Shaper() {
  if (relay_->born.here()) {
    relay_->leaving = true;
    relay_->thread.join();
    return;
  }
  relay_->near.close();  // the copies of a child of fork(), which has no such thread
  relay_->far.close();
  static_cast<void>(relay_.release());
}

std::pair<Socket, std::unique_ptr<Shaper>> Shaper::insert(Socket&& socket, const LinkShape& shape) {
  check_shape(shape);
  auto [near, hidden] = make_pair_of_sockets();
  auto relay = std::make_unique<Relay>(std::move(hidden), std::move(socket), shape);
  return {std::move(near), std::unique_ptr<Shaper>(new Shaper(std::move(relay)))};
}

}  // namespace petcore::net
