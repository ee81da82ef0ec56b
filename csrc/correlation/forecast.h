// Forecast: guesses, from what a program planned so far, what it will plan next.
//
// After a plan that was not foreseen it looks for the earlier place of the history whose plans
// before it were the same for the longest stretch, and expects what followed there, over and over:
// a loop is foreseen from its second turn on. It depends on nothing but the plans, so that all
// parties, which run the same program, guess alike.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "correlation/request.h"

namespace petcore::correlation {

using Plan = std::vector<Request>;

// same compares everything but the counters.
bool same(std::span<const Request> a, std::span<const Request> b);

class Forecast {
 public:
  // note takes the next plan of the program, and whether it was foreseen; if not, guesses begin
  // anew after it.
  void note(std::span<const Request> plan, bool foreseen);
  // expected is the plan that follows all those passed by step, or null; step passes it.
  const Plan* expected() const;
  void step();

 private:
  void look_back();
  std::size_t agreement(std::size_t place) const;

  std::deque<Plan> history_;
  std::vector<Plan> cycle_;
  std::size_t at_ = 0;
  bool turns_ = false;  // the cycle begins again after its end
};

}  // namespace petcore::correlation
