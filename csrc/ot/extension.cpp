#include "ot/extension.h"

#include <cmath>

#include "base/error.h"
#include "ot/half_tree.h"
#include "ot/noise.h"
#include "ot/silent.h"
#include "ot/softspoken.h"
#include "ot/tree_message.h"

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

bool silent_for(const Wish& wish) {
  if (wish.method == "auto") return !wish.checked && wish.link_mbit < kSilentBelowMbit;
  if (wish.method == "softspoken") return false;
  check(wish.method == "silent", Code::usage,
        "a method of transfers is \"auto\", \"softspoken\" or \"silent\"");
  check(!wish.checked, Code::usage,
        "silent transfers are secure against parties that follow the protocol only, and checked "
        "asks for more: set checked = false as well, or method = \"softspoken\"");
  return true;
}

}  // namespace

Options options_for(const Wish& wish) {
  check(wish.link_mbit > 0 && std::isfinite(wish.link_mbit), Code::usage,
        "a link's speed is a positive number of Mbit/s");
  Options best;
  if (silent_for(wish))
    best.kind = Options::Kind::silent;
  else
    best.checked = wish.checked;
  for (unsigned k = 2; k <= 8; ++k)
    if (transfer_ns(k, wish.link_mbit) < transfer_ns(best.k, wish.link_mbit)) best.k = k;
  return best;
}

std::string text_of(const Options& options) {
  const std::string k = ", k = " + std::to_string(options.k);
  if (options.kind == Options::Kind::silent) return "silent" + k;
  return "softspoken" + k + (options.checked ? ", checked" : ", not checked");
}

std::uint64_t block_bytes_of(const Options& options) {
  constexpr std::uint64_t kBlock = 128;
  // Half of it is a party's, and both halves add up.
  const auto share = [](std::uint64_t bytes, std::uint64_t transfers) {
    return (bytes * kBlock + transfers) / (2 * transfers) * 2;
  };
  if (options.kind == Options::Kind::softspoken)
    return share(softspoken_bytes(kSoftSpokenBlock, options), kSoftSpokenBlock);
  const NoiseShape shape = noise_for(kRefillMax);
  const Forest forest{shape.trees, shape.depth, TreeKind::correlated, 0};
  const std::uint64_t refill = softspoken_bytes(forest.transfers(), options) + kTreeHeadBytes +
                               sizeof(Block) * forest.message_blocks();
  return share(shape.outputs() / 8 + refill, shape.outputs());  // a bit each is its choice
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
