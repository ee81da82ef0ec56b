// Private set intersection in circuit form over the link between two parties.
#include "psi/traffic.h"
#include "session/session.h"
#include "session/steps.h"
#include "session/transfers.h"

namespace petcore::session {
namespace {

constexpr std::uint64_t kPsiMark = 0x707369, kShares = 2;
constexpr std::size_t kTextMax = 1024;

void check_circuit(const CircuitTask& task, bool receives) {
  check(task.receiver == 0 || task.receiver == 1, Code::usage,
        "the table of an intersection lies at a party of this session");
  check(task.label.size() <= kTextMax, Code::usage, "the label of an intersection is too long");
  check(task.columns.size() == (receives ? 0 : task.num_columns), Code::usage,
        "the columns of an intersection are the sender's, as many as are named");
}

}  // namespace

psi::CircuitShares Session::intersect_shares(const CircuitTask& task,
                                             std::span<const Block> digests) {
  net::Channel& channel = only_peer();
  const bool receives = config_.party == task.receiver;
  check_circuit(task, receives);
  const std::size_t at_receiver = receives ? digests.size() : task.num_theirs;
  const std::size_t at_sender = receives ? task.num_theirs : digests.size();
  const std::string what = "intersect sets of " + count(at_receiver) + " and " + count(at_sender) +
                           " into a table at " +
                           config_.names[static_cast<std::size_t>(task.receiver)] + " with " +
                           std::to_string(task.num_columns) + " columns: " + task.label;
  psi::CircuitShares shares;
  run(what, [&](protocol::Env& env) {
    const net::Counters before = channel.counters();
    const prg::Seed seed = prg::derive(common_seed_, {kPsiMark, kShares, env.step_index, 0, 0, 0});
    const psi::Link link{channel, env.step, seed, pool_};
    const bool first = !transfers_ || (receives ? !transfers_->receiver : !transfers_->sender);
    meter_.rounds +=
        psi::circuit_traffic(at_receiver, at_sender, task.num_columns, first, {}).rounds;
    if (receives)
      shares =
          psi::circuit_receive(link, vole_receiver(channel), digests, at_sender, task.num_columns);
    else
      shares = psi::circuit_send(link, vole_sender(channel), at_receiver, digests, task.columns);
    const net::Counters after = channel.counters();
    meter_.bytes_sent += after.payload_sent - before.payload_sent;
    meter_.bytes_received += after.payload_received - before.payload_received;
  });
  return shares;
}

}  // namespace petcore::session
