"""Only the party with the pinned key gets a link; nobody else can stop the listener."""

import socket
import ssl

import pytest

from petcore import _core, errors

LIMITS = _core.Limits()


def test_a_server_with_another_key_is_not_trusted(identities, tls, at_once):
    listener = tls.listen(identities.stranger)
    pins = [("wallet", identities.wallet.fingerprint)]
    accepted, error = at_once(
        lambda: listener.accept(pins, 0.7, LIMITS),
        lambda: tls.call(identities.wallet, identities.gateway, listener.port, LIMITS, 2),
    )
    assert isinstance(error, errors.PeerUntrusted)
    assert identities.stranger.fingerprint in str(error)
    assert identities.gateway.fingerprint in str(error)
    assert error.party == "gateway"
    assert isinstance(accepted, errors.PeerUnreachable)


def test_a_client_with_another_key_is_not_trusted_and_learns_it(identities, tls, at_once):
    listener = tls.listen(identities.gateway)
    pins = [("wallet", identities.wallet.fingerprint)]
    accepted, error = at_once(
        lambda: listener.accept(pins, 0.7, LIMITS),
        lambda: tls.call(identities.stranger, identities.gateway, listener.port, LIMITS, 2),
    )
    assert isinstance(accepted, errors.PeerUntrusted)
    assert identities.stranger.fingerprint in str(accepted)
    assert identities.wallet.fingerprint in str(accepted)
    assert isinstance(error, errors.PeerUntrusted)
    assert "refused this party's key" in str(error)


def plain_rubbish(port):
    return socket.create_connection(("127.0.0.1", port)), b"GET / HTTP/1.1\r\n\r\n"


def silence(port):
    return socket.create_connection(("127.0.0.1", port)), b""


def stop_short(port):
    return socket.create_connection(("127.0.0.1", port)), b"\x16\x03\x01\x02\x00\x01"


@pytest.mark.parametrize("caller", [plain_rubbish, silence, stop_short])
def test_the_wallet_gets_through_whoever_else_calls(identities, tls, at_once, within, caller):
    listener = tls.listen(identities.gateway)
    others = [caller(listener.port) for _ in range(5)]
    for other, said in others:
        other.sendall(said)
    channel, _ = at_once(
        lambda: listener.accept([("wallet", identities.wallet.fingerprint)], 5, LIMITS),
        lambda: tls.call(identities.wallet, identities.gateway, listener.port, LIMITS),
    )
    assert channel.peer_name == "wallet"
    for other, _said in others:
        other.close()


def test_a_stranger_does_not_keep_the_wallet_out(identities, tls, at_once):
    listener = tls.listen(identities.gateway)

    def call():
        with pytest.raises(errors.PeerUntrusted):
            tls.call(identities.stranger, identities.gateway, listener.port, LIMITS)
        return tls.call(identities.wallet, identities.gateway, listener.port, LIMITS)

    channel, mine = at_once(
        lambda: listener.accept([("wallet", identities.wallet.fingerprint)], 5, LIMITS), call
    )
    assert channel.peer_name == "wallet"
    assert mine.peer_name == "gateway"


def test_callers_are_told_apart_by_their_keys(identities, tls, at_once):
    listener = tls.listen(identities.gateway)
    pins = [(i.name, i.fingerprint) for i in (identities.wallet, identities.stranger)]

    def accept_both():
        return {listener.accept(pins, 5, LIMITS).peer_name for _ in range(2)}

    names, *_ = at_once(
        accept_both,
        lambda: tls.call(identities.stranger, identities.gateway, listener.port, LIMITS),
        lambda: tls.call(identities.wallet, identities.gateway, listener.port, LIMITS),
    )
    assert names == {"wallet", "stranger"}


def python_client(identities, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(identities.folder / "wallet.both")
    return context


def test_tls_1_2_is_refused(identities, tls, at_once):
    listener = tls.listen(identities.gateway)

    def call():
        context = python_client(identities, ssl.TLSVersion.TLSv1_2)
        with socket.create_connection(("127.0.0.1", listener.port)) as plain:
            return context.wrap_socket(plain)

    accepted, error = at_once(
        lambda: listener.accept([("wallet", identities.wallet.fingerprint)], 0.5, LIMITS), call
    )
    assert isinstance(error, ssl.SSLError)
    assert isinstance(accepted, errors.PeerUnreachable)


def test_a_client_without_a_certificate_is_refused(identities, tls, at_once):
    listener = tls.listen(identities.gateway)

    def call():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", listener.port))
        with context.wrap_socket(plain) as link:
            return link.recv(1)

    accepted, error = at_once(
        lambda: listener.accept([("wallet", identities.wallet.fingerprint)], 0.5, LIMITS), call
    )
    assert isinstance(error, ssl.SSLError)
    assert isinstance(accepted, errors.PeerUnreachable)


def test_the_right_key_with_another_greeting_is_no_petcore_party(identities, tls, at_once):
    listener = tls.listen(identities.gateway)

    def call():
        context = python_client(identities, ssl.TLSVersion.TLSv1_3)
        plain = socket.create_connection(("127.0.0.1", listener.port))
        with context.wrap_socket(plain) as link:
            link.sendall(b"petcore9")
            while link.recv(100):
                pass

    error, _ = at_once(
        lambda: listener.accept([("wallet", identities.wallet.fingerprint)], 0.5, LIMITS), call
    )
    assert isinstance(error, errors.PeerUnreachable)
    assert "not petcore" in str(error)


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_a_server_that_speaks_no_tls_is_no_petcore_party(identities, tls, at_once, server):
    def answer():
        with server.accept()[0] as plain:
            plain.recv(1)
            plain.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            while plain.recv(4096):
                pass

    error, _ = at_once(
        lambda: tls.call(identities.wallet, identities.gateway, server.getsockname()[1], LIMITS, 2),
        answer,
    )
    assert isinstance(error, errors.BadFrame)
    assert "gateway" in str(error)


def test_a_server_that_answers_nothing_is_unreachable(identities, tls, within, server):
    port = server.getsockname()[1]
    error = within(
        1,
        errors.PeerUnreachable,
        lambda: tls.call(identities.wallet, identities.gateway, port, LIMITS, 0.3),
        "did not finish the handshake",
    )
    assert error.address == f"127.0.0.1:{port}"


def test_a_peer_that_never_starts_is_unreachable(identities, tls, within, server):
    port = server.getsockname()[1]
    server.close()
    error = within(
        1,
        errors.PeerUnreachable,
        lambda: tls.call(identities.wallet, identities.gateway, port, LIMITS, 0.3),
        "refused",
    )
    assert error.party == "gateway"
    assert error.address == f"127.0.0.1:{port}"
    assert error.step == "step: connect"


def test_a_peer_that_never_calls_is_unreachable(identities, tls, within):
    listener = tls.listen(identities.gateway)
    pins = [("wallet", identities.wallet.fingerprint)]
    within(1, errors.PeerUnreachable, lambda: listener.accept(pins, 0.2, LIMITS), "wallet did not")


def test_a_peer_that_starts_later_is_waited_for(identities, tls, at_once, server):
    port = server.getsockname()[1]
    server.close()

    def listen_late():
        with pytest.raises(errors.PeerUnreachable):
            tls.call(identities.wallet, identities.gateway, port, LIMITS, 0.2)
        gateway = identities.gateway
        listener = _core.TlsListener(
            "127.0.0.1", port, gateway.certificate_pem, gateway.private_key_pem
        )
        return listener.accept([("wallet", identities.wallet.fingerprint)], 5, LIMITS)

    _, channel = at_once(
        listen_late, lambda: tls.call(identities.wallet, identities.gateway, port, LIMITS, 5)
    )
    assert channel.peer_name == "gateway"


def test_a_port_in_use_is_named(identities, tls, server):
    port = server.getsockname()[1]
    gateway = identities.gateway
    with pytest.raises(errors.UsageError, match=str(port)):
        _core.TlsListener("127.0.0.1", port, gateway.certificate_pem, gateway.private_key_pem)


def test_a_key_that_does_not_fit_its_certificate_is_refused(identities):
    gateway, wallet = identities.gateway, identities.wallet
    with pytest.raises(errors.UsageError, match="do not fit"):
        _core.TlsListener("127.0.0.1", 0, gateway.certificate_pem, wallet.private_key_pem)
    with pytest.raises(errors.UsageError, match="certificate"):
        _core.TlsListener("127.0.0.1", 0, b"rubbish", wallet.private_key_pem)
    with pytest.raises(errors.UsageError, match="private key"):
        _core.TlsListener("127.0.0.1", 0, gateway.certificate_pem, b"rubbish")


@pytest.mark.parametrize("pin", ["", "00", "g" * 64])
def test_a_pin_that_is_no_fingerprint_is_refused(identities, tls, pin):
    listener = tls.listen(identities.gateway)
    with pytest.raises(errors.UsageError, match="64 hexadecimal digits"):
        listener.accept([("wallet", pin)], 1, LIMITS)
