// Private set intersection over the link between two parties.
#include <algorithm>

#include "ot/extension.h"
#include "psi/ecdh.h"
#include "psi/rr22.h"
#include "psi/traffic.h"
#include "session/session.h"
#include "session/steps.h"
#include "session/transfers.h"

namespace petcore::session {
namespace {

constexpr std::uint64_t kPsiMark = 0x707369;
constexpr std::size_t kNumbersMax = 16;
constexpr std::size_t kTextMax = 1024;

std::string people(const std::vector<std::string>& names, const PsiTask& task) {
  if (!task.to) return names[0] + " and " + names[1];
  return names[static_cast<std::size_t>(*task.to)];
}

}  // namespace

prg::Seed Session::psi_key() const { return prg::derive(common_seed_, {kPsiMark, 0, 0, 0, 0, 0}); }

net::Channel& Session::only_peer() {
  check(config_.peers.size() == 1, Code::usage, "this operation is for two parties");
  return *config_.peers.begin()->second;
}

Buffer<std::uint64_t> Session::tell(const std::string& label, ConstWords numbers) {
  check(numbers.size() <= kNumbersMax && label.size() <= kTextMax, Code::usage,
        "tell: too many numbers, or too long a label");
  net::Channel& channel = only_peer();
  Buffer<std::uint64_t> theirs(numbers.size());
  run("tell " + label, [&](protocol::Env& env) {
    channel.exchange(env.step, std::as_bytes(numbers), std::as_writable_bytes(theirs.span()));
    ++meter_.rounds;
    meter_.bytes_sent += numbers.size_bytes();
    meter_.bytes_received += numbers.size_bytes();
  });
  return theirs;
}

ot::VoleSender& Session::vole_sender(net::Channel& channel) {
  if (!transfers_) transfers_ = std::make_shared<Transfers>();
  if (!transfers_->sender) {
    transfers_->cot_sender = ot::make_sender(config_.peers.begin()->second, pool_);
    transfers_->sender = std::make_unique<ot::VoleSender>(channel, *transfers_->cot_sender, pool_);
  }
  return *transfers_->sender;
}

ot::VoleReceiver& Session::vole_receiver(net::Channel& channel) {
  if (!transfers_) transfers_ = std::make_shared<Transfers>();
  if (!transfers_->receiver) {
    transfers_->cot_receiver = ot::make_receiver(config_.peers.begin()->second, pool_);
    transfers_->receiver =
        std::make_unique<ot::VoleReceiver>(channel, *transfers_->cot_receiver, pool_);
  }
  return *transfers_->receiver;
}

void Session::check_task(const PsiTask& task, std::size_t num_own) const {
  check(num_own > 0 && task.num_theirs > 0 &&
            std::max<std::uint64_t>(num_own, task.num_theirs) <= psi::kOkvsKeysMax,
        Code::usage, "sets that are intersected at once have 1 to 2^26 ids; use buckets");
  check(task.runs >= 1 && task.label.size() <= kTextMax, Code::usage,
        "an intersection needs one run at least, and a label that is not too long");
  check(!task.to || *task.to == 0 || *task.to == 1, Code::usage,
        "an intersection is for a party of this session");
  check(task.method == "rr22" || task.method == "ecdh", Code::usage,
        "a method of intersection is \"rr22\" or \"ecdh\"");
  check(task.method == "ecdh" || !task.cardinality, Code::usage,
        "rr22 shows its receiver which ids are in common; ecdh gives the cardinality alone");
}

// rr22's receiver sends more for each of its ids: the smaller set receives, where both may.
std::optional<PsiFound> Session::intersect_rr22(const protocol::Env& env, const PsiTask& task,
                                                std::span<const Block> digests) {
  net::Channel& channel = only_peer();
  const bool smaller =
      config_.party == 0 ? digests.size() <= task.num_theirs : digests.size() < task.num_theirs;
  const prg::Seed seed = prg::derive(common_seed_, {kPsiMark, 1, env.step_index, 0, 0, 0});
  const psi::Link link{channel, env.step, seed, pool_};
  const psi::Sizes sizes{digests.size(), task.num_theirs, task.runs};
  const bool answer = !task.to, receives = task.to ? *task.to == config_.party : smaller;
  const bool first = !transfers_ || (receives ? !transfers_->receiver : !transfers_->sender);
  const psi::Traffic traffic =
      receives ? psi::rr22_traffic(digests.size(), task.num_theirs, task.runs, answer, first, {})
               : psi::rr22_traffic(task.num_theirs, digests.size(), task.runs, answer, first, {});
  meter_.rounds += traffic.rounds;
  std::optional<Buffer<std::uint64_t>> found;
  if (receives)
    found = psi::rr22_receive(link, vole_receiver(channel), digests, sizes, answer);
  else
    found = psi::rr22_send(link, vole_sender(channel), digests, sizes, answer);
  if (!found) return std::nullopt;
  return PsiFound{found->size(), std::move(*found)};
}

std::optional<PsiFound> Session::intersect_ecdh(const protocol::Env& env, const PsiTask& task,
                                                std::span<const Block> digests) {
  const ConstBytes bytes = std::as_bytes(digests);
  const psi::EcdhItems items{digests.size(), [bytes](std::size_t i) {
                               return bytes.subspan(i * sizeof(Block), sizeof(Block));
                             }};
  const bool mine = !task.to || *task.to == config_.party;
  const psi::EcdhRequest request{
      task.cardinality ? psi::Answer::cardinality : psi::Answer::positions, mine,
      !task.to || *task.to != config_.party};
  psi::EcdhResult result =
      psi::intersect_ecdh(only_peer(), env.step, pool_, items, request, task.progress);
  check(result.size_of_other == task.num_theirs, Code::frame,
        "a peer names another number of ids than before");
  meter_.rounds += psi::ecdh_traffic(digests.size(), task.num_theirs, mine, request.theirs).rounds;
  if (!mine) return std::nullopt;
  const std::uint64_t size = task.cardinality ? result.cardinality : result.positions.size();
  return PsiFound{size, std::move(result.positions)};
}

std::optional<PsiFound> Session::intersect(const PsiTask& task, std::span<const Block> digests) {
  net::Channel& channel = only_peer();
  check_task(task, digests.size());
  const std::size_t theirs = task.num_theirs;
  const bool first = config_.party == 0;
  const std::string what = "intersect sets of " + count(first ? digests.size() : theirs) + " and " +
                           count(first ? theirs : digests.size()) + " for " +
                           people(config_.names, task) + " by " + task.method +
                           (task.cardinality ? ", how many only: " : ": ") + task.label;
  std::optional<PsiFound> found;
  run(what, [&](protocol::Env& env) {
    const net::Counters before = channel.counters();
    found = task.method == "rr22" ? intersect_rr22(env, task, digests)
                                  : intersect_ecdh(env, task, digests);
    const net::Counters after = channel.counters();
    meter_.bytes_sent += after.payload_sent - before.payload_sent;
    meter_.bytes_received += after.payload_received - before.payload_received;
  });
  return found;
}

}  // namespace petcore::session
