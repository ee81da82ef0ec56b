"""A PostgreSQL server of one's own, where the programs are."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL server of one's own; yield its URL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL's programs are not installed (Debian: apt-get install postgresql)")
    programs = found[-1].parent
    place = Path(tempfile.mkdtemp(prefix="pg-"))
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    as_user = {}
    if os.getuid() == 0:  # the server refuses to run as root
        if user not in {entry.pw_name for entry in pwd.getpwall()}:
            pytest.skip("as root, PostgreSQL needs the system user 'postgres'")
        shutil.chown(place, user)
        as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    data = str(place / "data")
    run = {"check": True, "capture_output": True, "timeout": 60, "cwd": place, **as_user}
    make = ["-U", "petcore", "--auth=trust", "-N", "--encoding=UTF8", "--locale=C"]
    subprocess.run([programs / "initdb", "-D", data, *make], **run)
    server = [programs / "postgres", "-D", data, "-k", str(place), "-c", "listen_addresses="]
    with open(place / "log", "wb") as log:
        process = subprocess.Popen(
            [*server, "-c", "fsync=off", "-c", "shared_buffers=16MB"],
            stdout=log,
            stderr=log,
            cwd=place,
            **as_user,
        )
    try:
        ready = [programs / "pg_isready", "-q", "-t", "30", "-h", str(place), "-U", "petcore"]
        while subprocess.run(ready, check=False, timeout=60).returncode:
            assert process.poll() is None, (place / "log").read_text()
        yield f"postgresql://petcore@/postgres?host={place}"
    finally:
        process.send_signal(signal.SIGQUIT)  # at once, whoever is connected
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        shutil.rmtree(place, ignore_errors=True)
