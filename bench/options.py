"""The command line of the bench."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from petcore.config import Link
from petcore.threads import thread_count

from .links import parse_link

GROUPS = (
    *(
        "kernels",
        "links",
        "protocols",
        "fss",
        "batch",
        "functions",
        "training",
        "memory",
        "psi",
        "ot",
    ),
)
EPILOG = """\
groups
  kernels     PRG, hash, share, ring and bits in this process, each in turns with OpenSSL, NumPy
              or a memory copy; on one thread, large ring work on every usable core too
  links       bytes alone between two processes, both ways at once, in petcore's channel, Python's
              ssl and TCP in clear: nothing that sends them can be faster (not with --link)
  protocols   products, matrix products and comparisons between processes
  fss         keys of one-round comparisons made and read in this process, one thread; comparisons
              by keys and by trees between processes
  batch       the same on a thousand pieces, one by one, sent ahead, in a batch
  functions   sigmoid, exp, reciprocal, sqrt, with the largest error that was found
  training    one epoch of logistic regression, 10,000 x 100, batch 128
  memory      the peak of a product of 10^7, beyond inputs and outputs
  ot          correlated oblivious transfers and VOLE, by each extension, one direction; triples and
              other correlations made of them, both directions
  psi         private set intersection of 10^4 to 10^6 ids, by each method; bytes of both parties

Everything but the kernels runs between a gateway, a wallet and a dealer: three processes that meet
over loopback with mutual TLS. The clock has the dealer's work inside. A figure is the median of
--runs runs of the slower party, after one that is not counted; rounds and bytes are those of one
party, TLS not counted. "relative" is the speed against the reference beside it, measured in the
same run: 2.0 x is twice as fast, 1/40 is forty times slower.

examples
  python -m bench                                   everything (a few minutes)
  python -m bench --group kernels                   this machine without a network
  python -m bench --filter product --max-n 1e5      a quick look at the products
  python -m bench --group protocols --link metro    the same between two data centres
  python -m bench --peers --group protocols         beside CrypTen and SPU (bench/README.md)
  python -m bench --plot cost.png --filter product  how cost grows, 10^2 to 10^7
  python -m bench --json - --group training | jq    for programs
"""


class Options(argparse.Namespace):
    """What was asked for."""

    group: list[str]
    filter: str
    min_n: int
    max_n: int
    runs: int
    budget: float
    json: str | None
    plot: Path | None
    peers: bool
    peer_venv: dict[str, Path]
    link: Link
    all_targets: bool
    threads: int
    goals: bool
    callgrind: bool

    def wants(self, group: str, name: str, n: int) -> bool:
        """Say whether the filters take a row."""
        named = any(word.lower() in name.lower() for word in self.filter.split("|"))
        return group in self.group and named and self.min_n <= n <= self.max_n


def read_options(arguments: list[str] | None = None) -> Options:
    """Parse the command line; wrong use ends the program with status 2 and says what to do."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure petcore: time, bytes and rounds, beside references of the same run.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_argument_group("what is measured")
    what.add_argument("--group", type=groups, default=list(GROUPS), metavar="G[,G]",
                      help=f"of {', '.join(GROUPS)} (all)")  # fmt: skip
    what.add_argument(
        "--filter", default="", metavar="TEXT", help="rows whose name has it; a|b for both"
    )
    what.add_argument(
        "--min-n", type=count, default=0, metavar="N", help="no smaller sizes (1e5 is fine)"
    )
    what.add_argument("--max-n", type=count, default=10**12, metavar="N", help="no larger sizes")
    what.add_argument("--runs", type=positive, default=7, metavar="R", help="runs per row (7)")
    what.add_argument("--budget", type=seconds, default=8.0, metavar="S",
                      help="seconds per row; slow ones get fewer runs, at least 3 (8)")  # fmt: skip
    what.add_argument("--all-targets", action="store_true", help="every CPU target of a kernel")
    what.add_argument("--threads", type=positive, default=thread_count(None), metavar="T",
                      help="threads of each process for large work (one per usable core)")  # fmt: skip
    what.add_argument("--link", type=parse_link, default=Link(), metavar="L",
                      help="imitate a line: lan, metro (2 ms), regional (20 ms), intercontinental "
                      "(150 ms), or ROUNDTRIPms,RATEMbit such as 20ms,100Mbit")  # fmt: skip
    peers = parser.add_argument_group("other libraries")
    peers.add_argument("--peers", action="store_true",
                       help="run the same in CrypTen and SPU, where their environments are")  # fmt: skip
    peers.add_argument("--peer-venv", type=peer_venv, action="append", default=[], metavar="NAME=DIR",
                       help="where spu or crypten is installed (else $PETCORE_BENCH_SPU, "
                       "$PETCORE_BENCH_CRYPTEN, ~/.cache/petcore-bench/NAME)")  # fmt: skip
    out = parser.add_argument_group("what comes out")
    out.add_argument(
        "--json", metavar="FILE", help="also write everything as JSON; - writes only that"
    )
    out.add_argument("--plot", type=Path, metavar="FILE.png",
                     help="measure 10^2 to 10^7 instead and draw how cost grows")  # fmt: skip
    out.add_argument("--goals", action="store_true", help="show what petcore is held to")
    out.add_argument("--callgrind", action="store_true",
                     help="count instructions under valgrind instead: free of noise")  # fmt: skip
    options = parser.parse_args(arguments, Options())
    check(parser, options)
    return options


def check(parser: argparse.ArgumentParser, options: Options) -> None:
    if options.min_n > options.max_n:
        parser.error(f"--min-n {options.min_n} is above --max-n {options.max_n}: no row is left")
    if options.plot and options.plot.suffix != ".png":
        parser.error(f"--plot writes a PNG; call it {options.plot.with_suffix('.png')}")
    for path in (options.plot, Path(options.json) if options.json not in (None, "-") else None):
        if path and not os.access(path.parent, os.W_OK):
            parser.error(f"{path.parent} is no folder to write to; make it first")
    if options.callgrind and (options.plot or options.peers):
        parser.error("--callgrind counts instructions; leave out --plot and --peers")
    options.peer_venv = dict(options.peer_venv)


def groups(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names or [text]:
        if name not in GROUPS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(GROUPS)}")
    return names


def count(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number; write 100000 or 1e5") from None
    if not (value == int(value) >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(value)


def positive(text: str) -> int:
    value = count(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 1 and 1000")
    return value


def seconds(text: str) -> float:
    try:
        value = float(text)
        if 0 < value < 1e5:
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")


def peer_venv(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not equals or name not in ("spu", "crypten"):
        raise argparse.ArgumentTypeError(f"{text!r} is not spu=DIR or crypten=DIR")
    if not (Path(folder).expanduser() / "bin" / "python").exists():
        raise argparse.ArgumentTypeError(
            f"{folder!r} has no bin/python; give the environment's folder"
        )
    return name, Path(folder).expanduser()
