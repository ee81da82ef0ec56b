#include "ot/extension.h"

#include "base/error.h"
#include "ot/silent.h"
#include "ot/softspoken.h"

namespace petcore::ot {

namespace {

// A transfer takes a party the time of its bytes, on the line and through TLS, and of its streams.
constexpr double kLocalBytesPerNs = 0.6;  // through TLS and the hashes that cover what is sent
constexpr double kStreamBytesPerNs = 14;

double transfer_ns(unsigned k, double mbit_per_second) {
  const auto trees = static_cast<double>((128 + k - 1) / k);
  const double byte_ns = 8000 / mbit_per_second + 1 / kLocalBytesPerNs;
  return trees / 8 * byte_ns + trees * (1u << k) / 8 / kStreamBytesPerNs;
}

}  // namespace

Options options_for(double mbit_per_second) {
  check(mbit_per_second > 0, Code::usage, "a link's speed is a positive number of Mbit/s");
  Options best;
  if (mbit_per_second < kSilentBelowMbit) best.kind = Options::Kind::silent;
  for (unsigned k = 2; k <= 8; ++k)
    if (transfer_ns(k, mbit_per_second) < transfer_ns(best.k, mbit_per_second)) best.k = k;
  return best;
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
