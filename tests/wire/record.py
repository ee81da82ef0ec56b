"""Record what every operation says on the wire.

``python -m tests.wire.record`` writes ``baseline.json`` anew: run it when a change on the wire is
meant, and commit the file with the change (and raise ``kWireVersion`` in csrc/session/session.h).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from . import entropy

BASELINE = Path(__file__).with_name("baseline.json")


def record() -> dict[str, object]:
    """Run all cases; a case that fails is recorded as its error."""
    from .cases import all_cases

    if not entropy.is_replaced():
        raise SystemExit("the randomness is the system's own; start this by tests/wire/entropy.py")
    said: dict[str, object] = {}
    for name, case in all_cases().items():
        began = time.monotonic()
        try:
            said[name] = case()
        except Exception as error:
            said[name] = {"error": f"{type(error).__name__}: {error}"}
        print(f"{time.monotonic() - began:6.2f} s  {name}", file=sys.stderr)
    return said


def main() -> None:
    """Print the record, in the process whose randomness is replaced; else start it and save."""
    if sys.argv[1:] == ["--print"]:
        print(json.dumps(record()))
        return
    with tempfile.TemporaryDirectory() as folder:
        done = entropy.run_again(entropy.build(Path(folder)), "--print")
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    BASELINE.write_text(json.dumps(json.loads(done.stdout), indent=1) + "\n")


if __name__ == "__main__":
    main()
