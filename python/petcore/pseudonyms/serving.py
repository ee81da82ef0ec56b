"""A pseudonym service and its clients over TLS 1.3, both ends with pinned keys."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import petcore._core as _core
from petcore.config import split_address
from petcore.errors import LinkError, PeerLate, PeerUnreachable, PetcoreError
from petcore.pseudonyms.client import PseudonymClient
from petcore.pseudonyms.config import ClientConfig, ServiceConfig, load_client, load_service
from petcore.pseudonyms.journal import Journal
from petcore.pseudonyms.keys import KeyRing
from petcore.pseudonyms.service import PseudonymService
from petcore.trust.identity import load_identity

CONNECT_WAIT = 10.0  # seconds
CONNECTIONS_MAX = 64
_SLICE = 0.5  # seconds between looks at the stop flag
_TAG = 0x70736575646F6E79
_STEP = "pseudonyms"

Report = Callable[[str], None]
_log = logging.getLogger("petcore")


def serve_pseudonyms(
    config: ServiceConfig | str | Path,
    *,
    on_event: Report | None = None,
    stop: threading.Event | None = None,
    threads: int | None = 1,
) -> None:
    """Serve until ``stop`` is set; one thread per connection, at most `CONNECTIONS_MAX`.

    A file of keys that was rotated or from which an epoch was destroyed is read anew for every
    connection. Raises ConfigError or PseudonymError where a file or the address cannot be used.
    """
    config = config if isinstance(config, ServiceConfig) else load_service(config)
    identity = load_identity(config.certificate, config.key)
    keys, journal = KeyRing.load(config.keys), Journal(config.journal)
    service = PseudonymService(keys, config.grants, journal=journal, threads=threads)
    stop, lines = stop or threading.Event(), threading.BoundedSemaphore(CONNECTIONS_MAX)
    listener = _core.TlsListener(
        *split_address(config.listen, "listen"),
        identity.certificate_pem.decode(),
        identity.private_key_pem.decode(),
    )
    _tell(f"listening on {config.listen}, epochs {sorted(keys.public())}", on_event)
    try:
        while not stop.is_set():
            try:
                channel = listener.accept(list(config.clients), _SLICE, _core.Limits())
            except (PeerUnreachable, PeerLate):
                continue
            except LinkError as error:
                _tell(f"refused a connection: {error}", on_event, logging.WARNING)
                continue
            if not lines.acquire(blocking=False):
                channel.abort("busy", "the pseudonym service has too many connections", _STEP)
                continue
            service.replace_keys(KeyRing.load(config.keys))
            threading.Thread(
                target=_answer, args=(service, channel, lines, on_event), daemon=True
            ).start()
    finally:
        listener.close()
        journal.close()


@contextmanager
def connect_pseudonyms(
    config: ClientConfig | str | Path,
    *,
    connect_wait: float = CONNECT_WAIT,
    threads: int | None = 1,
) -> Iterator[PseudonymClient]:
    """Connect to the service of a configuration for the length of a ``with`` block.

    Raises ConfigError for files that cannot be used, PeerUnreachable or PeerUntrusted for a service
    that is absent or shows another key.
    """
    config = config if isinstance(config, ClientConfig) else load_client(config)
    identity = load_identity(config.certificate, config.key)
    channel = _core.connect_tls(
        *config.service.host_port(),
        identity.certificate_pem.decode(),
        identity.private_key_pem.decode(),
        config.service.name,
        config.service.fingerprint,
        connect_wait,
        _core.Limits(),
    )
    mesh = _core.Mesh({0: channel})  # its thread keeps the link alive between requests

    def ask(request: bytes) -> bytes:
        _send(channel, _TAG, request)
        return channel.recv_message(_TAG, _STEP)

    try:
        yield PseudonymClient(ask, config.public_keys, threads=threads)
    finally:
        mesh.close_all()


def _answer(
    service: PseudonymService,
    channel: _core.Channel,
    lines: threading.BoundedSemaphore,
    on_event: Report | None,
) -> None:
    name = channel.peer_name
    mesh = _core.Mesh({0: channel})
    _tell(f"{name} connected from {channel.peer_address}", on_event)
    try:
        while (message := channel.next_message(_STEP)) is not None:
            _send(channel, message[0], service.answer(name, message[1]))
    except PetcoreError as error:
        _tell(f"lost {name}: {error}", on_event, logging.WARNING)
    else:
        counts = service.counters().get(name, {})
        _tell(f"{name} left; so far {counts.get('ids', 0):,} ids", on_event)
    finally:
        mesh.close_all()
        lines.release()


def _send(channel: _core.Channel, tag: int, payload: Any) -> None:
    channel.send_message(tag, _STEP, payload)  # takes bytes too, whatever its stub says


def _tell(event: str, on_event: Report | None, level: int = logging.INFO) -> None:
    _log.log(level, event)
    if on_event is not None:
        on_event(event)
