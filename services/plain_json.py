"""Values of records as plain JSON, with card numbers down to their last four digits (GK-12)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from services.field_names import plain_name
from services.pile import Json


class PlainValues:
    """Makes values plain. `full_cards` is for a person who asked to see whole card numbers."""

    def __init__(self, *, full_cards: bool = False) -> None:
        self.has_cards = False
        """Whether a card number has been masked."""
        self._full_cards = full_cards

    def fields(self, record: Mapping[str, object]) -> dict[str, Json]:
        return {str(name): self._value(str(name), value) for name, value in record.items()}

    def _value(self, name: str, value: object) -> Json:
        match value:
            case None | bool() | int() | float() | str():
                return self._card(name, value)
            case datetime() | date():
                return value.isoformat()
            case Mapping():
                return {str(key): self._value(str(key), inner) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                inner = [self._value(name, item) for item in value]
                return sorted(inner, key=str) if isinstance(value, set | frozenset) else inner
            case _:
                return str(value)

    def _card(self, name: str, value: Json) -> Json:
        """Card numbers show their last four digits (GK-12), wherever a field is called one."""
        digits = re.sub(r"[\s-]", "", str(value))
        if self._full_cards:
            return value
        if plain_name(name) in _CARD_NUMBERS and re.fullmatch(r"\d{12,19}", digits):
            self.has_cards = True
            return f"•••• {digits[-4:]}"
        return value


_CARD_NUMBERS = frozenset(
    {
        "card_number",
        "cardnumber",
        "card_no",
        "pan",
        "kortnummer",
        "kortnr",
        "primary_account_number",
    }
)
