"""What a party agrees to disclose: asked first, then written to the log, then sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from petcore.config import Rule
from petcore.errors import DisclosureRefused
from petcore.mpc.disclosure import Disclosure
from petcore.trust.log import DisclosureLog


@dataclass(frozen=True)
class Policy:
    """The permissions of one party; without rules (None) everything that has a label may go.

    A rule applies when its label pattern matches, it names the recipient (or ``*``), and the
    disclosure cites no other agreement. Every recipient needs a rule.
    """

    rules: tuple[Rule, ...] | None = None

    def allow(self, disclosure: Disclosure) -> Disclosure:
        """Return the disclosure with the agreement it rests on.

        Raises DisclosureRefused, naming label, recipient and remedy.
        """
        if self.rules is None:
            return disclosure
        agreements = [self._agreement(disclosure, recipient) for recipient in disclosure.recipients]
        return replace(disclosure, agreement=", ".join(dict.fromkeys(filter(None, agreements))))

    def _agreement(self, disclosure: Disclosure, recipient: str) -> str:
        for rule in self.rules or ():
            if (
                _matches(rule.label, disclosure.label)
                and (recipient in rule.to or "*" in rule.to)
                and disclosure.agreement in ("", rule.agreement)
            ):
                return rule.agreement
        under = f" under agreement {disclosure.agreement!r}" if disclosure.agreement else ""
        raise DisclosureRefused(
            f"the policy allows no disclosure of {disclosure.label!r} to {recipient}{under}; if it "
            "should, add a [[disclosure.rules]] with this label, recipient and agreement to the "
            "configuration of the party that refused",
            step=str(disclosure.step),
        )


class LoggedPolicy:
    """A `DisclosureSink`: the policy refuses or allows, and what it allows is logged."""

    def __init__(self, policy: Policy, log: DisclosureLog) -> None:
        self._policy, self._log = policy, log

    def record(self, d: Disclosure) -> None:
        """Ask the policy, then write the log; what either raises stops the disclosure."""
        self._log.record(self._policy.allow(d))

    def record_all(self, disclosures: Sequence[Disclosure]) -> None:
        """Do the same for several: all of them, or none."""
        self._log.record_all([self._policy.allow(d) for d in disclosures])


def _matches(pattern: str, label: str) -> bool:
    """Say whether the label fits; ``*`` stands for any text and nothing else is special."""
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), label, re.DOTALL))
