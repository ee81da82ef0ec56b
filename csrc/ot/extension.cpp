#include "ot/extension.h"

#include "base/error.h"
#include "ot/softspoken.h"

namespace petcore::ot {

Options options_for(double mbit_per_second) {
  (void)mbit_per_second;
  return {};
}

std::unique_ptr<CotSender> make_sender(std::shared_ptr<net::Channel> channel, Pool& pool,
                                       const Options& options) {
  check(options.kind == Options::Kind::softspoken, Code::usage, "silent extension: not built in");
  return std::make_unique<SoftSpokenSender>(std::move(channel), pool, options);
}

std::unique_ptr<CotReceiver> make_receiver(std::shared_ptr<net::Channel> channel, Pool& pool,
                                           const Options& options) {
  check(options.kind == Options::Kind::softspoken, Code::usage, "silent extension: not built in");
  return std::make_unique<SoftSpokenReceiver>(std::move(channel), pool, options);
}

}  // namespace petcore::ot
