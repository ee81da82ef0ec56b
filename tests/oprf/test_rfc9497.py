"""The test vectors of RFC 9497, appendix A.3, all of them, and what must fail."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from petcore import _core, oprf
from petcore.errors import BadFrame, PeerUntrusted, UsageError

RFC9497 = json.loads((Path(__file__).parent / "rfc9497.json").read_text())["modes"]
MODES = ("oprf", "voprf", "poprf")
CASES = [
    pytest.param(suite, vector, id=f"{MODES[suite['mode']]} {number}")
    for suite in RFC9497
    for number, vector in enumerate(suite["vectors"], 1)
]
PROVEN = ("voprf", "poprf")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def octets(text: str) -> list[bytes]:
    return [bytes.fromhex(part) for part in text.split(",")]


def test_the_vectors_are_those_of_eight_batches():
    assert len(CASES) == 8


@pytest.mark.parametrize(("suite", "vector"), CASES)
def test_every_step_gives_the_vectors_of_rfc_9497(suite, vector):
    mode = MODES[suite["mode"]]
    key = oprf.PrivateKey.derive(
        bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]), mode=mode
    )
    assert key.dump().hex() == suite["skSm"]
    if "pkSm" in suite:
        assert key.public_key.hex() == suite["pkSm"]
    info, inputs = bytes.fromhex(vector.get("Info", "")), octets(vector["Input"])
    asked = _core.OprfAsked(mode, inputs, octets(vector["Blind"]))
    assert asked.elements == b"".join(octets(vector["BlindedElement"]))
    proof = vector.get("Proof", {"proof": "", "r": f"{1:064x}"})
    nonce = bytes.fromhex(proof["r"])
    answer = _core.OprfKey.load(mode, key.dump()).evaluate(asked.elements, info, nonce)
    assert answer == (b"".join(octets(vector["EvaluationElement"])), bytes.fromhex(proof["proof"]))
    outputs = octets(vector["Output"])
    assert asked.finalize(key.public_key, *answer, info) == outputs
    assert key.evaluate_known(inputs, info) == outputs


def run(mode: str, inputs: list[bytes], info: bytes = b"", threads: int = 1) -> list[bytes]:
    key = oprf.PrivateKey.derive(bytes(32), mode=mode)
    request = oprf.blind(inputs, mode=mode, threads=threads)
    answer = key.evaluate(request.elements, info, threads=threads)
    answer = oprf.Evaluation.from_bytes(answer.to_bytes(), mode)
    outputs = request.finalize(answer, server_key=key.public_key, info=info, threads=threads)
    assert outputs == key.evaluate_known(inputs, info)
    return outputs


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_gives_what_its_inputs_give_alone_whatever_the_threads(mode):
    inputs = [b"", b"\0", b"\0\0", "Łódź".encode(), b"x" * 65535, *(b"%d" % i for i in range(60))]
    outputs = run(mode, inputs, threads=3)
    assert len(set(outputs)) == len(inputs)
    assert run(mode, inputs[:3]) == outputs[:3]


def test_a_request_looks_different_each_time_and_its_output_does_not():
    first, second = (oprf.blind([b"id"], mode="oprf") for _ in "ab")
    assert first.elements != second.elements
    assert run("oprf", [b"id"]) == run("oprf", [b"id"])


def test_another_key_mode_or_info_gives_another_output():
    outputs = [run(mode, [b"id"])[0] for mode in MODES]
    outputs += [run("poprf", [b"id"], info)[0] for info in (b"a", b"b", b"x" * 65535)]
    key = oprf.PrivateKey.generate("oprf")
    outputs += key.evaluate_known([b"id"])
    assert len(set(outputs)) == len(outputs)


def exchange(mode: str, inputs=(b"a", b"b"), info: bytes = b""):
    key = oprf.PrivateKey.generate(mode)
    request = oprf.blind(list(inputs), mode=mode)
    return key, request, key.evaluate(request.elements, info)


@pytest.mark.parametrize("mode", PROVEN)
def test_a_server_that_uses_another_key_is_found_out(mode):
    key, request, answer = exchange(mode)
    other = oprf.PrivateKey.generate(mode)
    with pytest.raises(PeerUntrusted, match="another key"):
        request.finalize(other.evaluate(request.elements), server_key=key.public_key)
    mixed = oprf.Evaluation(other.evaluate(request.elements).elements, answer.proof)
    with pytest.raises(PeerUntrusted, match="proof"):
        request.finalize(mixed, server_key=key.public_key)
    assert request.finalize(answer, server_key=key.public_key) == key.evaluate_known([b"a", b"b"])


@pytest.mark.parametrize("mode", PROVEN)
def test_answers_in_another_order_do_not_pass(mode):
    key, request, answer = exchange(mode)
    swapped = oprf.Evaluation(answer.elements[33:] + answer.elements[:33], answer.proof)
    with pytest.raises(PeerUntrusted):
        request.finalize(swapped, server_key=key.public_key)


@pytest.mark.parametrize("mode", PROVEN)
@pytest.mark.parametrize("at", [0, 31, 32, 63])
def test_a_proof_with_one_bit_changed_does_not_pass(mode, at):
    key, request, answer = exchange(mode)
    proof = bytearray(answer.proof)
    proof[at] ^= 1
    with pytest.raises(PeerUntrusted):
        request.finalize(oprf.Evaluation(answer.elements, bytes(proof)), server_key=key.public_key)


@pytest.mark.parametrize("mode", PROVEN)
def test_a_proof_made_to_cancel_out_does_not_pass(mode):
    key, request, answer = exchange(mode)
    c = 5
    s = -c * int.from_bytes(key.dump(), "big") % ORDER  # s G + c B is infinite (in voprf)
    proof = c.to_bytes(32, "big") + s.to_bytes(32, "big")
    for forged in (proof, bytes(64)):
        with pytest.raises(PeerUntrusted):
            request.finalize(oprf.Evaluation(answer.elements, forged), server_key=key.public_key)


def test_another_info_than_the_clients_is_found_out():
    key, request, answer = exchange("poprf", info=b"scope a")
    with pytest.raises(PeerUntrusted):
        request.finalize(answer, server_key=key.public_key, info=b"scope b")


def test_bytes_that_are_no_elements_are_refused_at_both_ends():
    key, request, answer = exchange("voprf")
    for bad in (b"", b"\2" * 32, bytes(33), b"\2" + b"\xff" * 32, request.elements + b"\2"):
        with pytest.raises(BadFrame):
            key.evaluate(bad)
    for bad in (b"", answer.elements[:33], bytes(66), answer.elements + answer.elements[:33]):
        with pytest.raises(BadFrame):
            request.finalize(oprf.Evaluation(bad, answer.proof), server_key=key.public_key)
    for bad in (b"", answer.proof[:-1], b"\xff" * 64):
        with pytest.raises(BadFrame):
            request.finalize(oprf.Evaluation(answer.elements, bad), server_key=key.public_key)
    with pytest.raises(BadFrame, match="no answer"):
        oprf.Evaluation.from_bytes(bytes(64), "voprf")


def test_a_proof_where_none_belongs_is_refused():
    _, request, answer = exchange("oprf")
    with pytest.raises(BadFrame, match="no proof"):
        request.finalize(oprf.Evaluation(answer.elements, bytes(64)))
    assert len(request.finalize(answer)) == 2


def test_wrong_use_is_refused():
    key, request, answer = exchange("voprf")
    request.finalize(answer, server_key=key.public_key)
    with pytest.raises(UsageError, match="already"):
        request.finalize(answer, server_key=key.public_key)
    for inputs in ([], [b"x" * 65536], [b"x"] * 65536, "text", b"bytes", ["text"]):
        with pytest.raises(UsageError):
            oprf.blind(inputs, mode="voprf")
    with pytest.raises(UsageError, match="only the mode poprf"):
        key.evaluate(request.elements, b"info")
    with pytest.raises(UsageError, match="mode is"):
        oprf.PrivateKey.generate("toprf")
    with pytest.raises(UsageError, match="32 bytes"):
        oprf.PrivateKey.derive(b"short", mode="oprf")
    for bad in (bytes(32), b"\xff" * 32, b"short"):
        with pytest.raises(UsageError):
            oprf.PrivateKey.load(bad, mode="oprf")
    _, request, answer = exchange("voprf")
    with pytest.raises(UsageError, match="33 bytes"):
        request.finalize(answer, server_key=b"no key")


def test_keys_and_requests_neither_pickle_nor_show_themselves():
    key, request, _ = exchange("oprf")
    for thing in (key, request):
        with pytest.raises(UsageError, match="pickle"):
            thing.__reduce_ex__(4)
    assert key.dump().hex() not in repr(key)
    assert oprf.PrivateKey.load(key.dump(), mode="oprf").public_key == key.public_key


def test_a_key_serves_many_threads_at_once():
    key = oprf.PrivateKey.generate("voprf")

    def one(i: int) -> bool:
        request = oprf.blind([b"%d" % i], mode="voprf")
        outputs = request.finalize(key.evaluate(request.elements), server_key=key.public_key)
        return outputs == key.evaluate_known([b"%d" % i])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(one, range(40)))
