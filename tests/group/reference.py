"""P-256 and RFC 9380 in plain integers: slow, obvious, and written from the standards alone."""

from hashlib import sha256

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A = -3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Z = -10

Affine = tuple[int, int] | None  # None is infinity


def add(p: Affine, q: Affine) -> Affine:
    if p is None or q is None:
        return p or q
    if p[0] == q[0] and (p[1] + q[1]) % P == 0:
        return None
    if p == q:
        slope = (3 * p[0] ** 2 + A) * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope**2 - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def multiply(k: int, p: Affine) -> Affine:
    result: Affine = None
    while k:
        if k & 1:
            result = add(result, p)
        p = add(p, p)
        k >>= 1
    return result


def encode(p: Affine) -> bytes:
    assert p is not None
    return bytes([2 + (p[1] & 1)]) + p[0].to_bytes(32, "big")


def scalar(k: int) -> bytes:
    return k.to_bytes(32, "big")


def expand(message: bytes, tag: bytes, size: int) -> bytes:
    tag += bytes([len(tag)])
    first = sha256(bytes(64) + message + size.to_bytes(2, "big") + b"\0" + tag).digest()
    out = block = sha256(first + b"\1" + tag).digest()
    for index in range(2, -(-size // 32) + 1):
        mixed = bytes(x ^ y for x, y in zip(first, block, strict=True))
        block = sha256(mixed + bytes([index]) + tag).digest()
        out += block
    return out[:size]


def is_square(x: int) -> bool:
    return pow(x, (P - 1) // 2, P) in (0, 1)


def map_to_curve(u: int) -> Affine:
    """The simplified SWU map as section 6.6.2 tells it, with inversions and Legendre symbols."""
    t = (Z**2 * u**4 + Z * u**2) % P
    inverse = pow(t, P - 2, P)
    x = B * pow(Z * A, -1, P) if inverse == 0 else -B * pow(A, -1, P) * (1 + inverse)
    right_side = (x**3 + A * x + B) % P
    if not is_square(right_side):
        x = Z * u**2 * x
        right_side = (x**3 + A * x + B) % P
    y = pow(right_side, (P + 1) // 4, P)
    return x % P, y if u % 2 == y % 2 else (-y) % P


def hash_to_curve(message: bytes, tag: bytes) -> Affine:
    uniform = expand(message, tag, 96)
    u = [int.from_bytes(uniform[at : at + 48], "big") % P for at in (0, 48)]
    return add(map_to_curve(u[0]), map_to_curve(u[1]))


def hash_to_scalar(message: bytes, tag: bytes) -> int:
    return int.from_bytes(expand(message, tag, 48), "big") % N
