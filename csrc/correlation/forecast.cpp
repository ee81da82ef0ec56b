#include "correlation/forecast.h"

#include <algorithm>

namespace petcore::correlation {
namespace {

constexpr std::size_t kHistoryMax = 1024;     // plans
constexpr std::size_t kAgreementMax = 64;     // plans compared backwards
constexpr std::size_t kPlanRequestsMax = 64;  // a longer plan is not foreseen

bool has(const Plan& plan, Kind kind) {
  return std::any_of(plan.begin(), plan.end(),
                     [kind](const Request& request) { return request.kind == kind; });
}

}  // namespace

bool same(std::span<const Request> a, std::span<const Request> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Request& x, const Request& y) {
    return x.kind == y.kind && x.units == y.units && x.chunk == y.chunk && x.dims == y.dims;
  });
}

void Forecast::note(std::span<const Request> plan, bool foreseen) {
  const bool kept = plan.size() <= kPlanRequestsMax;
  history_.push_back(kept ? Plan(plan.begin(), plan.end()) : Plan{});
  if (history_.size() > kHistoryMax) history_.pop_front();
  if (!foreseen) look_back();
}

const Plan* Forecast::expected() const {
  if (at_ == cycle_.size()) return nullptr;
  return &cycle_[at_];
}

void Forecast::step() {
  if (++at_ == cycle_.size() && turns_) at_ = 0;
}

// How many plans, backwards from here, are those backwards from the end.
std::size_t Forecast::agreement(std::size_t place) const {
  const std::size_t last = history_.size() - 1;
  std::size_t n = 0;
  while (n < kAgreementMax && n <= place && same(history_[place - n], history_[last - n])) ++n;
  return n;
}

void Forecast::look_back() {
  cycle_.clear();
  at_ = 0;
  turns_ = true;
  const std::size_t last = history_.size() - 1;
  std::size_t longest = 0, found = 0;
  for (std::size_t place = last; place-- > 0;)  // of equals the most recent
    if (const std::size_t n = agreement(place); n > longest) {
      longest = n;
      found = place;
    }
  if (longest == 0) return;
  bool masks = false;
  for (std::size_t i = found + 1; i <= last; ++i) {
    const Plan& plan = history_[i];
    // A product with a mask of this very cycle names that mask's counter, which comes anew.
    if (plan.empty() || (masks && has(plan, Kind::masked_matrix))) {
      turns_ = false;
      return;
    }
    masks |= has(plan, Kind::mask);
    cycle_.push_back(plan);
  }
  turns_ = !(masks && std::any_of(cycle_.begin(), cycle_.end(),
                                  [](const Plan& plan) { return has(plan, Kind::masked_matrix); }));
}

}  // namespace petcore::correlation
