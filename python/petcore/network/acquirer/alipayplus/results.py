"""Result codes of the dialect: what a code is called, its status and what it says to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["S", "F", "U"]
"""Success, failure (both final), unknown: ask again."""

_RESULTS: dict[str, tuple[Status, str]] = {
    "SUCCESS": ("S", "Success."),
    "PAYMENT_IN_PROCESS": ("U", "The payment is in process; inquire about it."),
    "UNKNOWN_EXCEPTION": ("U", "The result is not known yet; send the same request again."),
    "REPEAT_REQ_INCONSISTENT": ("F", "This request id was used with other parameters."),
    "PARAM_ILLEGAL": ("F", "A parameter is missing or illegal."),
    "INVALID_SIGNATURE": ("F", "The signature is invalid."),
    "ORDER_NOT_EXIST": ("F", "There is no such payment."),
    "ORDER_IS_CANCELED": ("F", "The payment was cancelled."),
    "USER_BALANCE_NOT_ENOUGH": ("F", "The payer's balance is not enough."),
    "RISK_REJECT": ("F", "The payment was rejected."),
    "REFUND_AMOUNT_EXCEED": ("F", "The refunds would exceed what was paid."),
    "CANCEL_WINDOW_EXCEED": ("F", "The payment can no longer be cancelled; refund it."),
    "METHOD_NOT_SUPPORTED": ("F", "This acquirer does not support the method."),
}
CODES = tuple(_RESULTS)


@dataclass(frozen=True)
class Result:
    """The ``result`` of an answer."""

    code: str
    status: Status
    message: str

    def render(self) -> dict[str, str]:
        """Return it as it stands in an answer."""
        return {
            "resultCode": self.code,
            "resultStatus": self.status,
            "resultMessage": self.message,
        }


def result(code: str, message: str = "") -> Result:
    """Return the result with a code; the code's own words where no message is given."""
    status, usual = _RESULTS[code]
    return Result(code, status, message or usual)


class Refused(Exception):
    """A request of the dialect cannot be taken; ``result`` is the answer to it."""

    def __init__(self, code: str, message: str = "") -> None:
        self.result = result(code, message)
        super().__init__(self.result.message)
