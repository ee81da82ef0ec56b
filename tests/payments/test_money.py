import pytest

from petcore.errors import UsageError
from petcore.payments import format_amount, minor_digits


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, "EUR", "0.00 EUR"),
        (-5, "SGD", "-0.05 SGD"),
        (123456, "JPY", "123,456 JPY"),
        (-1234567, "KWD", "-1,234.567 KWD"),
    ],
)
def test_amounts_are_written_with_the_digits_of_their_currency(
    minor: int, currency: str, text: str
) -> None:
    assert format_amount(minor, currency) == text


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown currency 'EURO'"):
        minor_digits("EURO")
