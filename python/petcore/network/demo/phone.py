"""A user's phone: it asks the wallet for payment codes, and agrees to orders at the wallet's page."""

from __future__ import annotations

import tomllib
from urllib.parse import urlsplit

import httpx

from petcore.errors import PeerLate, PeerUnreachable, PetcoreError, error_class
from petcore.network.demo.merchant import only
from petcore.network.demo.place import PIN, WALLET, Place

_SECONDS = 30.0


def new_codes(place: Place, user: str, count: int = 1, *, pin: str = PIN) -> list[str]:
    """Return fresh payment codes of a user.

    Raises
    ------
    PinRefused
        User and PIN do not fit.
    PeerUnreachable, PeerLate
        The wallet's page is away, or does not answer.
    """
    answer = _post(place, "/codes", {"user": user, "pin": pin, "count": str(count)})
    if answer.status_code != 200:
        raise _refusal(answer)
    return [str(code) for code in answer.json()["codes"]]


def agree(place: Place, url: str, user: str, *, pin: str = PIN) -> None:
    """Agree to the order at a URL of the wallet's page; errors as `new_codes`."""
    answer = _post(place, urlsplit(url).path, {"user": user, "pin": pin})
    if answer.status_code != 200:
        raise PetcoreError(f"{WALLET} refused the payment (status {answer.status_code})")


def _post(place: Place, path: str, form: dict[str, str]) -> httpx.Response:
    config = tomllib.loads(place.config(WALLET).read_text(encoding="utf-8"))
    trust = only(str(place.public / f"{WALLET}.cert.pem"))
    try:
        with httpx.Client(verify=trust, timeout=_SECONDS, trust_env=False) as client:
            return client.post(config["cashier"]["url"] + path, data=form)
    except httpx.ConnectError as error:
        raise PeerUnreachable(f"{WALLET} does not run", party=WALLET) from error
    except httpx.HTTPError as error:
        raise PeerLate(f"{WALLET} did not answer", party=WALLET) from error


def _refusal(answer: httpx.Response) -> PetcoreError:
    try:
        said = answer.json()
        code, message = str(said["code"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        return PetcoreError(f"{WALLET} answered with status {answer.status_code}", party=WALLET)
    return error_class(code)(message, party=WALLET)
