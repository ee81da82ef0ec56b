"""Writing a configuration as the TOML file that `load_config` reads, with comments that teach."""

from __future__ import annotations

import os
from pathlib import Path

from petcore.config import DEALER, STORE, Config, Limits, Link, Peer, Rule, StoreConfig
from petcore.config_service import service_text
from petcore.transfers import Transfers


def to_toml(config: Config, directory: str | Path = ".") -> str:
    """Return the text of a configuration file that will stand in ``directory``.

    An unknown fingerprint or address ("") is written with a comment that says whom to ask.
    """
    base = Path(directory)
    rows = [
        f"# petcore configuration of {config.name}. Relative paths are relative to this file.",
        _row("name", config.name, "this process: one of the parties below, or dealer"),
        _row("session", config.session, "all parties and the dealer must agree on it"),
    ]
    if config.correlations != DEALER:
        made = "by the parties themselves; all must agree on it"
        if config.correlations == STORE:
            made = "made ahead by 'petcore prepare'; all must agree on it"
        rows.append(_row("correlations", config.correlations, made))
    if config.verify_dealer:
        share = f"verify_dealer = {config.verify_dealer!r}"
        rows.append(f"{share}  # how often what the dealer sent is checked; all must agree on it")
    if config.program:
        rows.append(_row("program", config.program, "all parties must agree on it"))
    if config.listen:
        rows.append(_row("listen", config.listen, "the address to bind"))
    if config.connect_wait is not None:
        rows.append(f"connect_wait = {config.connect_wait!r}  # seconds to wait for absent peers")
    if config.threads is not None:
        rows.append(f"threads = {config.threads}  # that share large local work")
    rows += [
        "",
        "[identity]  # made by 'petcore keygen'",
        _row("certificate", _relative(config.certificate, base)),
        _row("key", _relative(config.key, base), "secret: readable by you alone"),
        "",
        "# The computing parties; their order is the party index, the same in every file.",
    ]
    for peer in config.parties:
        rows += ["[[parties]]", _row("name", peer.name), *_peer(peer), ""]
    if config.dealer is not None:
        rows += ["[dealer]  # makes correlated randomness; sees no input and no output"]
        rows += [*_peer(config.dealer), ""]
    if config.store is not None:
        rows += _store(config.store, base)
    rows += _transfers(config.transfers)
    rows += [*_disclosure(config, base), *_limits(config.limits), *_link(config.link)]
    rows += service_text(config.pairs, config.service)
    return "\n".join(rows).rstrip() + "\n"


def _peer(peer: Peer) -> list[str]:
    pinned = "the key it must show" if peer.fingerprint else "filled in by 'petcore pin'"
    rows = [_row("fingerprint", peer.fingerprint, pinned)]
    if peer.address:  # the last party listens to nobody
        rows.insert(0, _row("address", peer.address, "host:port where it listens"))
    return rows


def _store(store: StoreConfig, base: Path) -> list[str]:
    rows = ["[store]  # correlations made ahead", _row("path", _relative(store.path, base))]
    if store.key_file is not None:
        rows.append(_row("key_file", _relative(store.key_file, base), "64 hex digits; secret"))
    else:
        rows.append(_row("key_env", store.key_env, "the variable that holds 64 hex digits"))
    rows += [
        _row("maker", store.maker, "who makes them: dealer or ot"),
        _row("at_zero", store.at_zero, "refuse, make what is missing, or restock"),
        f"low = {store.low!r}  # of what the plan asks for: below that 'petcore stock' warns",
    ]
    if store.trace is not None:
        rows.append(_row("trace", _relative(store.trace, base), "a line for every use"))
    return [*rows, ""]


def _transfers(transfers: Transfers) -> list[str]:
    if transfers == Transfers():
        return []
    return [
        "[transfers]  # how the parties make correlations by oblivious transfer; all must agree",
        _row("method", transfers.method, "auto, softspoken or silent"),
        f"link_mbit = {transfers.link_mbit!r}  # what the link between the parties carries",
        f"checked = {str(transfers.checked).lower()}  # catch a party that cheats",
        "",
    ]


def _disclosure(config: Config, base: Path) -> list[str]:
    rows = ["[disclosure]", _row("log", _relative(config.log, base), "every opening, hash-chained")]
    if config.rules is None:
        rows.append("# Without rules every labelled disclosure is allowed, and logged. A rule is:")
        rows += [f"# {line}" for line in _rule(Rule("net position *", ("wallet",), "DPA-2025-01"))]
    elif not config.rules:
        rows.append("rules = []  # nothing may be disclosed")
    for rule in config.rules or ():
        rows += ["", *_rule(rule)]
    return [*rows, ""]


def _rule(rule: Rule) -> list[str]:
    to = ", ".join(map(_quoted, rule.to))
    return [
        "[[disclosure.rules]]",
        _row("label", rule.label, "* stands for any text"),
        f"to = [{to}]  # who may learn it",
        _row("agreement", rule.agreement, "under which agreement; written to the log"),
    ]


def _limits(limits: Limits) -> list[str]:
    return [
        "[limits]",
        f"deadline = {limits.deadline!r}  # seconds a live peer may take to answer",
        f"silence = {limits.silence!r}  # seconds without a heartbeat until a peer counts as dead",
        f"heartbeat = {limits.heartbeat!r}  # seconds between heartbeats",
        f"frame_bytes_max = {limits.frame_bytes_max}",
        f"message_bytes_max = {limits.message_bytes_max}",
        f"inbox_bytes_max = {limits.inbox_bytes_max}  # read ahead from each peer",
        f"dealer_restart = {limits.dealer_restart!r}  # seconds to wait for a dealer that went away",
    ]


def _link(link: Link) -> list[str]:
    if link == Link():
        return []
    return [
        "",
        "[link]  # for testing: a slower line is imitated; every process sets the same",
        f"round_trip_ms = {link.round_trip_ms!r}",
        f"bandwidth_mbit = {link.bandwidth_mbit!r}  # 0: no bound",
    ]


def _row(key: str, value: str, comment: str = "") -> str:
    return f"{key} = {_quoted(value)}" + (f"  # {comment}" if comment else "")


def _quoted(value: str) -> str:
    """Write a TOML basic string (TOML 1.0.0, section String)."""
    marks = {'"': '\\"', "\\": "\\\\"}
    return (
        '"'
        + "".join(marks.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in value)
        + '"'
    )


def _relative(path: Path, base: Path) -> str:
    inside = path.is_absolute() == base.is_absolute() or path.resolve().is_relative_to(
        base.resolve()
    )
    return os.path.relpath(path.resolve(), base.resolve()) if inside else str(path)
