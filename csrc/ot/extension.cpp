#include "ot/extension.h"

#include "base/error.h"
#include "ot/silent.h"
#include "ot/softspoken.h"

namespace petcore::ot {

Options options_for(double mbit_per_second) {
  check(mbit_per_second > 0, Code::usage, "a link's speed is a positive number of Mbit/s");
  Options options;
  if (mbit_per_second < kSilentBelowMbit) options.kind = Options::Kind::silent;
  return options;
}

std::unique_ptr<CotSender> make_sender(std::shared_ptr<net::Channel> channel, Pool& pool,
                                       const Options& options) {
  auto base = std::make_unique<SoftSpokenSender>(channel, pool, options);
  if (options.kind == Options::Kind::softspoken) return base;
  return std::make_unique<SilentSender>(std::move(channel), std::move(base), pool);
}

std::unique_ptr<CotReceiver> make_receiver(std::shared_ptr<net::Channel> channel, Pool& pool,
                                           const Options& options) {
  auto base = std::make_unique<SoftSpokenReceiver>(channel, pool, options);
  if (options.kind == Options::Kind::softspoken) return base;
  return std::make_unique<SilentReceiver>(std::move(channel), std::move(base), pool);
}

}  // namespace petcore::ot
