"""A failure on one link ends the waits on the others."""

import pytest

from petcore import _core, errors

LIMITS = _core.Limits(deadline_s=20, silence_s=20, heartbeat_s=1)


@pytest.fixture
def star():
    """The gateway's mesh, and its links as wallet and dealer hold them."""
    to_wallet, wallet = _core.memory_channels("gateway", "wallet", LIMITS)
    to_dealer, dealer = _core.memory_channels("gateway", "dealer", LIMITS)
    mesh = _core.Mesh({1: to_wallet, 2: to_dealer})
    yield mesh, to_wallet, wallet, dealer
    mesh.close_all()


def test_a_wait_for_the_wallet_ends_when_the_dealer_fails(star, at_once, within):
    _mesh, to_wallet, _wallet, dealer = star

    def wait():
        return within(2, errors.PeerAborted, lambda: to_wallet.recv(1, "step 1: mul", 8))

    error, _ = at_once(wait, lambda: dealer.abort("entropy", "no randomness", "step 1"))
    assert error.party == "dealer"
    assert error.step == "step 1: mul"


def test_a_failure_is_kept_for_the_owner_that_computes(star, within):
    mesh, _to_wallet, wallet, _dealer = star
    wallet.abort("usage", "the first cause", "step 1")

    def compute():
        while True:
            mesh.check()

    within(2, errors.PeerAborted, compute, "the first cause")


def test_aborting_tells_every_peer(star, within):
    mesh, _to_wallet, wallet, dealer = star
    mesh.abort_all("usage", "a forgotten input", "step 4: input")
    for peer in (wallet, dealer):
        within(1, errors.PeerAborted, lambda p=peer: p.recv(1, "step 4", 8), "a forgotten input")


def test_closing_says_goodbye_to_every_peer(star):
    mesh, _to_wallet, wallet, dealer = star
    mesh.close_all()
    assert wallet.next_message("idle") is None
    assert dealer.next_message("idle") is None


def test_a_goodbye_is_no_failure(star):
    mesh, to_wallet, wallet, _dealer = star
    wallet.close()
    while to_wallet.counters()["frames_received"] < 1:
        mesh.check()
    mesh.check()


def test_a_mesh_may_be_ended_by_many_threads_at_once(at_once):
    for _ in range(20):
        to_wallet, wallet = _core.memory_channels("gateway", "wallet", LIMITS)
        mesh = _core.Mesh({1: to_wallet})
        ends = [mesh.close_all, lambda m=mesh: m.abort_all("usage", "enough", "step 1")]
        assert at_once(*ends * 4) == [None] * 8
        assert to_wallet.left()
        assert wallet.left()
