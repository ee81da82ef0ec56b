"""Amounts: integers in minor units of an ISO 4217 currency, never floats."""

from __future__ import annotations

from petcore.errors import UsageError

MAX_AMOUNT = 10**12
"""Largest amount or limit, in minor units; with `MAX_PAYMENTS` of them a sum stays inside int64."""

MAX_PAYMENTS = 1 << 22

_NO_MINOR_UNIT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_TWO_DIGITS = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG
"""

_DIGITS = {
    code: digits
    for digits, codes in ((0, _NO_MINOR_UNIT), (2, _TWO_DIGITS), (3, _THREE_DIGITS))
    for code in codes.split()
}


def minor_digits(currency: str) -> int:
    """Return how many decimal digits the minor unit of a currency has (ISO 4217: JPY 0, EUR 2).

    Raises
    ------
    UsageError
        `currency` is not an ISO 4217 code that petcore knows.
    """
    if currency not in _DIGITS:
        raise UsageError(
            f"unknown currency {currency[:8]!r}; use the three letters of ISO 4217, such as EUR"
        )
    return _DIGITS[currency]


def format_amount(minor: int, currency: str) -> str:
    """Write an amount in minor units for people.

    Examples
    --------
    >>> format_amount(-123456, "EUR"), format_amount(1200, "JPY")
    ('-1,234.56 EUR', '1,200 JPY')
    """
    digits = minor_digits(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    decimals = f".{rest:0{digits}}" if digits else ""
    return f"{'-' if minor < 0 else ''}{whole:,}{decimals} {currency}"
