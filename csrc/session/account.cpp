#include "session/account.h"

#include <chrono>

#include "base/error.h"

namespace petcore::session {
namespace {

std::int64_t today() {
  using std::chrono::days;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<days>(now).count();
}

}  // namespace

void Account::charge(const correlation::Request& request, std::uint64_t bytes, bool counted) {
  const std::lock_guard lock(mutex_);
  if (const std::int64_t now = today(); now != day_) {
    day_ = now;
    used_.bytes_today = 0;
  }
  if (bytes_per_day_ > 0 && (bytes > bytes_per_day_ || used_.bytes_today > bytes_per_day_ - bytes))
    throw Error(Code::limit, client_ + " may take " + std::to_string(bytes_per_day_) +
                                 " bytes of correlations a day (UTC) from this dealer, and this "
                                 "request would exceed that; its operator sets bytes_per_day");
  used_.bytes_today += bytes;
  used_.bytes += bytes;
  if (!counted) return;
  ++used_.requests;
  used_.units[request.kind] += request.units;
}

Account::Used Account::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace petcore::session
