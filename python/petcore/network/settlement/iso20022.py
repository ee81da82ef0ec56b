"""A participant's settlement in ISO 20022: pacs.009.001.08 for the net, camt.053.001.08 for items.

The net is a credit transfer between financial institutions: from the participant to the network
where it owes, from the network to it where it is owed. The statement is of the participant's
position: it opens at zero, has an entry per item that moved money, and closes at the net.

Identifiers longer than a field are cut, and end in a part of their digest; an item's full name
stands in the entry's additional information.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from xml.etree import ElementTree  # writes only; nothing is parsed here

from petcore.errors import UsageError
from petcore.network.directory import Directory
from petcore.network.settlement.csv_file import decimal, iso_time
from petcore.network.settlement.nets import REVERSED
from petcore.network.settlement.reconcile import Entry, Reconciled
from petcore.network.settlement.statement import Statement

PACS_009 = "urn:iso:std:iso:20022:tech:xsd:pacs.009.001.08"
CAMT_053 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ID, _NAME, _TEXT = 35, 140, 500

Element = ElementTree.Element


def to_pacs009(statement: Statement, directory: Directory, *, at: int) -> bytes:
    """Return the credit transfer that settles a net; `at` is its time, ms since 1970.

    Raises
    ------
    UsageError
        The net is zero: there is nothing to transfer.
    """
    if statement.net == 0:
        raise UsageError("a net of zero needs no transfer")
    document = Element("Document", xmlns=PACS_009)
    transfer = _add(document, "FICdtTrf")
    header = _add(transfer, "GrpHdr")
    name = _message_id("pacs.009", statement, directory)
    _add(header, "MsgId", name)
    _add(header, "CreDtTm", iso_time(at))
    _add(header, "NbOfTxs", "1")
    settlement = _add(header, "SttlmInf")
    _add(settlement, "SttlmMtd", "CLRG")
    _add(_add(settlement, "ClrSys"), "Prtry", short(directory.name))
    item = _add(transfer, "CdtTrfTxInf")
    payment = _add(item, "PmtId")
    _add(payment, "InstrId", name)
    _add(payment, "EndToEndId", short(f"{statement.window}-{statement.currency}"))
    _add(payment, "TxId", name)
    _amount(item, "IntrBkSttlmAmt", statement.net, statement.currency)
    _add(item, "IntrBkSttlmDt", _date(at))
    member, network = (statement.participant, _entity(directory, statement.participant)), None
    debtor, creditor = (network, member) if statement.net > 0 else (member, network)
    _institution(item, "Dbtr", debtor or (directory.name, directory.node_a.legal_entity))
    _institution(item, "Cdtr", creditor or (directory.name, directory.node_a.legal_entity))
    return _written(document)


def to_camt053(reconciled: Reconciled, directory: Directory, *, at: int) -> bytes:
    """Return the account statement of a participant's position; `at` is its time, ms since 1970.

    Raises
    ------
    UsageError
        The items do not add up to the net: a statement of them would be false.
    """
    statement = reconciled.statement
    if sum(entry.amount for entry in reconciled.entries) != statement.net:
        raise UsageError("the items do not add up to the net; resolve the breaks first")
    document = Element("Document", xmlns=CAMT_053)
    message = _add(document, "BkToCstmrStmt")
    name = _message_id("camt.053", statement, directory)
    header = _add(message, "GrpHdr")
    _add(header, "MsgId", name)
    _add(header, "CreDtTm", iso_time(at))
    body = _add(message, "Stmt")
    _add(body, "Id", name)
    _add(body, "ElctrncSeqNb", str(statement.window))
    _add(body, "CreDtTm", iso_time(at))
    account = _add(body, "Acct")
    identification = _add(_add(account, "Id"), "Othr")
    _add(identification, "Id", short(f"{directory.name}/{statement.participant}", 34))
    _add(account, "Ccy", statement.currency)
    _add(_add(account, "Ownr"), "Nm", _clean(_entity(directory, statement.participant), _NAME))
    for kind, minor in (("OPBD", 0), ("CLBD", statement.net)):
        balance = _add(body, "Bal")
        _add(_add(_add(balance, "Tp"), "CdOrPrtry"), "Cd", kind)
        _amount(balance, "Amt", minor, statement.currency, direction=True)
        _add(_add(balance, "Dt"), "Dt", _date(at))
    _summary(body, reconciled.entries, statement)
    for number, entry in enumerate(reconciled.entries, 1):
        _entry(body, number, entry, statement.currency, at)
    return _written(document)


def short(text: str, most: int = _ID) -> str:
    """Return a text of at most `most` characters; a longer one ends in a part of its digest."""
    text = _NO_XML.sub("", text)
    if len(text) <= most:
        return text
    return f"{text[: most - 13]}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _summary(body: Element, entries: tuple[Entry, ...], statement: Statement) -> None:
    summary = _add(_add(body, "TxsSummry"), "TtlNtries")
    _add(summary, "NbOfNtries", str(len(entries)))
    total = sum(abs(entry.amount) for entry in entries)
    _add(summary, "Sum", decimal(total, statement.currency))
    net = _add(summary, "TtlNetNtry")
    _add(net, "Amt", decimal(abs(statement.net), statement.currency))
    _add(net, "CdtDbtInd", _side(statement.net))


def _entry(body: Element, number: int, entry: Entry, currency: str, at: int) -> None:
    request = entry.item.removesuffix(REVERSED)
    found = _add(body, "Ntry")
    _add(found, "NtryRef", str(number))
    _amount(found, "Amt", entry.amount, currency, direction=True)
    if request != entry.item:
        _add(found, "RvslInd", "true")
    _add(_add(found, "Sts"), "Cd", "BOOK")
    _add(_add(found, "BookgDt"), "DtTm", iso_time(entry.created))
    _add(_add(found, "ValDt"), "Dt", _date(at))
    _add(
        _add(_add(found, "BkTxCd"), "Prtry"),
        "Cd",
        "PAYMENT" if request == entry.item else "CANCELLATION",
    )
    details = _add(_add(found, "NtryDtls"), "TxDtls")
    _add(_add(details, "Refs"), "EndToEndId", short(request.partition("/")[2]))
    _add(found, "AddtlNtryInf", _clean(entry.item, _TEXT))


def _amount(
    parent: Element, tag: str, minor: int, currency: str, *, direction: bool = False
) -> None:
    _add(parent, tag, decimal(abs(minor), currency)).set("Ccy", currency)
    if direction:
        _add(parent, "CdtDbtInd", _side(minor))


def _side(minor: int) -> str:
    return "CRDT" if minor >= 0 else "DBIT"


def _institution(parent: Element, tag: str, who: tuple[str, str]) -> None:
    name, entity = who
    institution = _add(_add(parent, tag), "FinInstnId")
    _add(institution, "Nm", _clean(entity, _NAME))
    _add(_add(institution, "Othr"), "Id", short(name))


def _entity(directory: Directory, participant: str) -> str:
    return directory.member(participant).legal_entity


def _message_id(kind: str, statement: Statement, directory: Directory) -> str:
    """Return a name that is the same whenever the same net is written."""
    about = (kind, directory.name, statement.participant, statement.currency, statement.window)
    return "PC" + hashlib.sha256("\n".join(map(str, about)).encode()).hexdigest()[:32].upper()


def _date(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def _clean(text: str, most: int) -> str:
    return _NO_XML.sub("", text)[:most] or "-"


def _add(parent: Element, tag: str, text: str | None = None) -> Element:
    child = ElementTree.SubElement(parent, tag)
    child.text = text
    return child


def _written(document: Element) -> bytes:
    ElementTree.indent(document, " ")
    content: bytes = ElementTree.tostring(document, encoding="utf-8", xml_declaration=True)
    return content + b"\n"
