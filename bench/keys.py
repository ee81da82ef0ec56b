"""Keys of one-round comparisons: made and read on one thread, beside the hash alone."""

from __future__ import annotations

from .kernels import Kernel, Race, Work, kernels, label, words

KEYS = 1 << 14  # beyond the caches, a chunk at a time within them
CHUNK = 1 << 11  # as sessions take them
WIDTHS = (8, 16, 32, 40, 64)


def blocks(width: int) -> int:
    """Blocks of a key for the sign of so many bits; each is one hash, two AES, to read."""
    return max(1, width - 7)


def key_bytes(width: int) -> int:
    """What a party holds of a key: its root, number and corrections."""
    return 16 + 8 + 16 * blocks(width)


def reading(width: int) -> Kernel:
    def make(n: int, names: list[str]) -> Race:
        x, roots, numbers = words(CHUNK), words(2 * CHUNK), words(CHUNK)
        keys = kernels.make_keys(x, roots, roots, numbers, width - 1, "below")
        race = Race(n, "key")
        hashed = words(2 * blocks(width) * CHUNK).view("u1")
        race.contenders["as many hashes"] = repeated(n, lambda: kernels.crh(hashed))
        for t in names:
            race.contenders[label(t)] = repeated(
                n,
                lambda t=t: kernels.evaluate_keys(
                    x, 0, roots, keys, numbers, width - 1, "below", target=t
                ),
            )
        return race

    name = f"read keys, {width} bits ({key_bytes(width)} B, {2 * blocks(width)} AES)"
    return Kernel(name, KEYS, make, "fss", "keys")


def making(width: int) -> Kernel:
    def make(n: int, names: list[str]) -> Race:
        x, numbers = words(CHUNK), words(CHUNK)
        roots = [words(2 * CHUNK), words(2 * CHUNK)[::-1].copy()]
        race = Race(n, "key")
        hashed = words(4 * blocks(width) * CHUNK).view("u1")
        race.contenders["as many hashes"] = repeated(n, lambda: kernels.crh(hashed))
        for t in names:
            race.contenders[label(t)] = repeated(
                n, lambda t=t: kernels.make_keys(x, *roots, numbers, width - 1, "below", target=t)
            )
        return race

    name = f"make keys, {width} bits ({4 * blocks(width)} AES)"
    return Kernel(name, KEYS, make, "fss", "keys")


def repeated(n: int, work: Work) -> Work:
    """Work through n keys by chunks."""

    def run() -> None:
        for _ in range(n // CHUNK):
            work()

    return run


KERNELS = [*map(making, WIDTHS), *map(reading, WIDTHS)]
