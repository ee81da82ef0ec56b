"""Health and counters of the dealer over HTTP: ``/health`` (JSON) and ``/metrics`` (Prometheus).

No secret, label or session name is shown: names of clients, states and counts only. There is no
authentication, so it binds to localhost unless the configuration says otherwise.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

from petcore.errors import UsageError

_KINDS = {
    "open": ("petcore_dealer_sessions_open", "gauge", "Sessions that run now."),
    "waiting": ("petcore_dealer_connections_waiting", "gauge", "Connections without a session."),
    "requests": ("petcore_dealer_requests_total", "counter", "Requests answered."),
    "bytes": ("petcore_dealer_bytes_total", "counter", "Bytes of correlations dealt."),
    "bytes_today": ("petcore_dealer_bytes_today", "gauge", "Of these since midnight UTC."),
}
_Page = Callable[[], tuple[int, str, str]]  # status, content type, text
_RESULTS = ("served", "failed", "refused")


def prometheus(snapshot: dict[str, Any]) -> str:
    """Return the counters in the Prometheus text format 0.0.4."""
    return "\n".join(_lines(snapshot)) + "\n"


def _lines(snapshot: dict[str, Any]) -> Iterator[str]:
    clients = snapshot["clients"]
    yield from _head("petcore_dealer_sessions", "gauge", "Sessions that run now, of all clients.")
    yield f"petcore_dealer_sessions {snapshot['sessions']}"
    for key, (name, kind, words) in _KINDS.items():
        yield from _head(name, kind, words)
        for client, counts in clients.items():
            yield f'{name}{{client="{client}"}} {counts[key]}'
    name = "petcore_dealer_sessions_total"
    yield from _head(name, "counter", "Sessions that ended, by how.")
    for client, counts in clients.items():
        for result in _RESULTS:
            yield f'{name}{{client="{client}",result="{result}"}} {counts[result]}'
    name = "petcore_dealer_units_total"
    yield from _head(name, "counter", "Units of correlations dealt, by kind.")
    for client, counts in clients.items():
        for kind, units in counts["units"].items():
            yield f'{name}{{client="{client}",kind="{kind}"}} {units}'


def _head(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"


class Health:
    """The HTTP server, on a thread of its own, until `close`.

    Parameters
    ----------
    host, port : str, int
        Where it listens; port 0 takes a free one.
    snapshot : callable
        Gives the counters.
    serving : callable
        Says whether new sessions are taken; ``/health`` answers 503 when not.
    """

    def __init__(
        self,
        host: str,
        port: int,
        snapshot: Callable[[], dict[str, Any]],
        serving: Callable[[], bool],
    ) -> None:
        pages: dict[str, _Page] = {
            "/health": lambda: _health(snapshot(), serving()),
            "/metrics": lambda: (200, "text/plain; version=0.0.4", prometheus(snapshot())),
        }
        handler = type("Handler", (_Handler,), {"pages": pages})
        try:
            self._server = HTTPServer((host, port), handler)
        except OSError as error:
            raise UsageError(
                f"health cannot listen on {host}:{port}: {error.strerror}; change "
                "service.health_port, or free the port"
            ) from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="petcore health", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _health(snapshot: dict[str, Any], serving: bool) -> tuple[int, str, str]:
    state = {"status": "ok" if serving else "ending", "sessions": snapshot["sessions"]}
    return 200 if serving else 503, "application/json", json.dumps(state) + "\n"


class _Handler(BaseHTTPRequestHandler):
    """Answers one request per connection, and waits for no caller longer than two seconds."""

    timeout = 2
    server_version = "petcore"
    sys_version = ""
    pages: ClassVar[dict[str, _Page]]

    def do_GET(self) -> None:
        """Answer with a page, or 404."""
        page = self.pages.get(self.path.partition("?")[0])
        if page is None:
            self.send_error(404)
            return
        status, kind, text = page()
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the service reports its own events."""
