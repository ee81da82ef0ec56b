"""The disclosure log: written before anything leaves, and tamper-evident afterwards."""

import json
import os
import subprocess
import sys
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from petcore.errors import DisclosureError, LogCorrupt
from petcore.trust import chain
from petcore.trust.log import DisclosureLog, repair


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logs" / "gateway.jsonl"


@pytest.fixture
def written(path, disclosure):
    """A log of five disclosures."""
    with DisclosureLog(path, "gateway", session="spring") as log:
        for step in range(5):
            log.record(disclosure(step=step, label=f"value {step}"))
    return path


def rewrite(path, change):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))


def test_a_record_says_who_learns_what_why_and_under_which_agreement(path, disclosure):
    with DisclosureLog(path, "gateway", session="spring") as log:
        log.record(disclosure())
        (record,) = chain.read(path)
    assert record["time"].endswith("+00:00")
    told = {key: record[key] for key in record if key not in ("time", "hash")}
    assert told == {
        "number": 1,
        "party": "gateway",
        "session": "spring",
        "step": 7,
        "kind": "open",
        "label": "held-out AUC",
        "to": ["gateway", "wallet"],
        "shape": [3, 2],
        "dtype": "fixed",
        "purpose": "compare the models",
        "agreement": "DPA-2025-01",
        "previous": "0" * 64,
    }


def test_several_disclosures_are_chained_and_synced_in_one_go(path, disclosure, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_size))
    with DisclosureLog(path, "gateway") as log:
        synced.clear()
        log.record_all([disclosure(label=text) for text in ("a", "b", "c")])
        log.record(disclosure(label="d"))
        assert synced[-1] == path.stat().st_size
        assert len(synced) == 2
    assert [record["label"] for record in chain.read(path)] == ["a", "b", "c", "d"]


def test_where_one_of_several_cannot_be_recorded_none_is(path, disclosure):
    with DisclosureLog(path, "gateway") as log:
        with pytest.raises(DisclosureError, match="too long"):
            log.record_all([disclosure(label="a"), disclosure(purpose="x" * 100_000)])
        log.record(disclosure(label="b"))
    assert [record["label"] for record in chain.read(path)] == ["b"]


def test_the_line_is_synced_to_the_disk_before_record_returns(path, disclosure, monkeypatch):
    sizes = []
    with DisclosureLog(path, "gateway") as log:
        monkeypatch.setattr(os, "fsync", lambda fd: sizes.append(os.fstat(fd).st_size))
        log.record(disclosure())
        assert sizes == [path.stat().st_size]


def test_anyone_can_recompute_the_chain_with_json_and_sha256(written):
    previous = "0" * 64
    for line in written.read_text().splitlines():
        record = json.loads(line)
        claimed = record.pop("hash")
        text = json.dumps(record, sort_keys=True, separators=(",", ":"))
        assert sha256(text.encode()).hexdigest() == claimed
        assert record["previous"] == previous
        previous = claimed


def test_verification_counts_the_records_and_returns_the_head(written):
    records = list(chain.read(written))
    assert chain.verify(written) == chain.Verified(5, records[-1]["hash"])


def test_a_log_is_continued_where_it_ended(written, disclosure):
    head = chain.verify(written).head
    with DisclosureLog(written, "gateway") as log:
        assert log.head == head
        log.record(disclosure())
        assert chain.verify(written, head=head) == chain.Verified(6, log.head)


def test_an_empty_log_verifies(path):
    DisclosureLog(path, "gateway").close()
    assert chain.verify(path) == chain.Verified(0, "0" * 64)


def test_every_single_changed_byte_is_found(written):
    content = written.read_bytes()
    for i in range(0, len(content), 7):
        written.write_bytes(content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :])
        with pytest.raises(LogCorrupt, match="line "):
            chain.verify(written)


@pytest.mark.parametrize(
    ("change", "line", "why"),
    [
        (lambda rows: rows[:2] + rows[3:], 3, "removed, added or moved"),
        (lambda rows: rows[1:], 1, "removed, added or moved"),
        (lambda rows: [rows[0], rows[2], rows[1], *rows[3:]], 2, "removed, added or moved"),
        (lambda rows: [*rows, rows[-1]], 6, "removed, added or moved"),
        (lambda rows: [rows[0].replace(b"value 0", b"value 9"), *rows[1:]], 1, "was changed"),
        (lambda rows: [*rows[:2], b"\n", *rows[2:]], 3, "not a record"),
        (lambda rows: [*rows, b"{}\n"], 6, "lacks a proper 'number'"),
        (lambda rows: [*rows, b"[1]\n"], 6, "not a record"),
        (lambda rows: [*rows, b"\0" * 100 + b"\n"], 6, "not a record"),
        (lambda rows: [rows[0].replace(b":", b": ", 1), *rows[1:]], 1, "not a record"),
        (lambda rows: [*rows, b"x" * (1 << 17) + b"\n"], 6, "not a record"),
    ],
)
def test_tampering_is_found_and_the_line_is_named(written, change, line, why):
    rewrite(written, change)
    with pytest.raises(LogCorrupt, match=rf"line {line}: .*{why}.*(restore|start a new log)"):
        chain.verify(written)


def test_a_log_that_does_not_verify_takes_no_more_records(written):
    rewrite(written, lambda rows: rows[:2] + rows[3:])
    before = written.read_bytes()
    with pytest.raises(LogCorrupt, match="line 3"):
        DisclosureLog(written, "gateway")
    assert written.read_bytes() == before


def test_lines_cut_off_the_end_are_noticed_only_with_a_head_noted_earlier(written):
    head = chain.verify(written).head
    rewrite(written, lambda rows: rows[:3])
    assert chain.verify(written).count == 3
    with pytest.raises(LogCorrupt, match="cut off its end"):
        chain.verify(written, head=head)


def test_a_forged_chain_that_is_consistent_is_noticed_with_a_head(written, disclosure):
    head = chain.verify(written).head
    written.unlink()
    with DisclosureLog(written, "gateway") as log:
        log.record(disclosure(label="nothing to see"))
    with pytest.raises(LogCorrupt, match="another log"):
        chain.verify(written, head=head)


def test_a_torn_last_line_is_told_apart_from_tampering_and_the_remedy_is_named(written):
    content = written.read_bytes()
    written.write_bytes(content[:-20])
    for attempt in (chain.verify, lambda file: DisclosureLog(file, "gateway")):
        with pytest.raises(LogCorrupt, match=r"line 5.*incomplete.*before that share was sent"):
            attempt(written)
    assert written.read_bytes() == content[:-20]


def test_repair_sets_a_torn_line_aside_and_loses_no_byte(written, disclosure):
    content = written.read_bytes()
    written.write_bytes(content[:-20])
    aside = repair(written)
    assert written.read_bytes() + aside.read_bytes() == content[:-20]
    with DisclosureLog(written, "gateway") as log:
        log.record(disclosure())
    assert chain.verify(written).count == 5


def test_repair_touches_nothing_where_more_is_wrong_than_the_last_line(written):
    rewrite(written, lambda rows: [*rows[1:], b'{"torn'])
    before = written.read_bytes()
    with pytest.raises(LogCorrupt, match="line 1"):
        repair(written)
    assert written.read_bytes() == before


def test_repair_of_a_sound_log_says_that_there_is_nothing_to_do(written):
    with pytest.raises(LogCorrupt, match="nothing to repair"):
        repair(written)


def test_repair_never_overwrites_what_was_set_aside_before(written):
    rewrite(written, lambda rows: [*rows[:4], rows[4][:-20]])
    written.with_name(f"{written.name}.torn-5").write_text("kept")
    with pytest.raises(DisclosureError, match="exists"):
        repair(written)


def test_repair_of_no_file_does_not_make_one(tmp_path):
    with pytest.raises(DisclosureError, match="No such file"):
        repair(tmp_path / "none.jsonl")
    assert not list(tmp_path.iterdir())


def test_two_writers_are_refused_also_within_one_process(path):
    with (
        DisclosureLog(path, "gateway"),
        pytest.raises(DisclosureError, match="another session is writing"),
    ):
        DisclosureLog(path, "gateway")
    DisclosureLog(path, "gateway").close()


@pytest.mark.processes
def test_a_writer_in_another_process_is_refused_until_it_is_gone(path):
    path.parent.mkdir()
    code = f"""
from petcore.trust.log import DisclosureLog
log = DisclosureLog({str(path)!r}, "gateway")
print("open", flush=True)
input()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(DisclosureError, match="another session is writing"):
            DisclosureLog(path, "gateway")
        other.kill()
    DisclosureLog(path, "gateway").close()


def test_the_log_of_another_party_is_refused(written):
    with pytest.raises(DisclosureError, match="is the log of gateway, not of wallet"):
        DisclosureLog(written, "wallet")


def test_a_full_disk_stops_the_disclosure_and_leaves_no_half_line(written, disclosure, monkeypatch):
    before = written.read_bytes()
    real_write = os.write
    with DisclosureLog(written, "gateway") as log:
        monkeypatch.setattr(os, "write", lambda fd, data: real_write(fd, data[:30]))
        with pytest.raises(DisclosureError, match=r"No space left.*nothing was sent"):
            log.record(disclosure())
        monkeypatch.undo()
        with pytest.raises(DisclosureError, match="open the log anew"):
            log.record(disclosure())
    assert written.read_bytes() == before


def test_a_closed_log_refuses_records(path, disclosure):
    log = DisclosureLog(path, "gateway")
    log.close()
    log.close()
    with pytest.raises(DisclosureError, match="was closed"):
        log.record(disclosure())


def test_a_label_too_long_for_a_line_is_refused_before_anything_is_written(path, disclosure):
    with DisclosureLog(path, "gateway") as log:
        with pytest.raises(DisclosureError, match="too long"):
            log.record(disclosure(purpose="x" * (1 << 16)))
        log.record(disclosure())
    assert chain.verify(path).count == 1


def test_a_missing_log_is_named(tmp_path):
    with pytest.raises(LogCorrupt, match=r"none\.jsonl.*No such file"):
        chain.verify(tmp_path / "none.jsonl")


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(label=st.text(max_size=50), purpose=st.text(max_size=50), shape=st.lists(st.integers(0)))
def test_any_text_survives_the_log(path, disclosure, label, purpose, shape):
    path.unlink(missing_ok=True)
    with DisclosureLog(path, "gateway") as log:
        log.record(disclosure(label=label, purpose=purpose, shape=tuple(shape)))
    (record,) = chain.read(path)
    assert (record["label"], record["purpose"], record["shape"]) == (label, purpose, shape)
