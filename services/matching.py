"""Whether a record is the person's: identifiers brought to one form and compared (Art. 12(6), 15).

A code proves control of the address it was sent to and opens only what is filed under that
address; a name alone never opens anything. Pure functions, shared by every connector.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from domain.vocabulary import IdentifierKind, Match
from services.ports import Person


def normal_email(address: str) -> str:
    """An address in the form in which two spellings of one mailbox are equal.

    Letter case does not tell mailboxes apart, dots and +tags do. A domain is equal in its Unicode
    and its ASCII form. Letters never change script on the way (U+212A is no k), because
    somebody could otherwise prove control of a look-alike.
    """
    text = _lower("".join(map(_composed, _LOOK_ALIKES.split(address.strip()))))
    local, at, domain = text.rpartition("@")
    if not at or domain.isascii():
        return text
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return text


def normal_phone(number: str) -> str:
    """A telephone number as +country and digits (E.164), where that can be told.

    Without a country code eight digits are Norwegian and a leading zero is Swedish, because no
    Norwegian number begins with zero and every Swedish one does. Anything else keeps its digits.
    """
    text = number.strip().replace("(0)", "")
    digits = "".join(c for c in text if c in "0123456789")
    if text.startswith("+"):
        international = digits
    elif digits.startswith("00"):
        international = digits[2:]
    elif len(digits) == _NORWEGIAN and not digits.startswith("0"):
        international = "47" + digits
    elif digits.startswith("0") and len(digits) > 1:
        international = "46" + digits[1:]
    elif re.fullmatch(r"47[2-9]\d{7}|467\d{8}", digits):
        international = digits
    else:
        return digits
    if international.startswith("460"):
        international = "46" + international[3:]
    return f"+{international}" if international else ""


def normal_name(name: str) -> str:
    """A name without case, commas, hyphens and order: "Vik, Anne-Lise" is "anne lise vik"."""
    text = unicodedata.normalize("NFC", name).casefold()
    return " ".join(sorted(re.findall(r"[^\W_]+(?:['’.][^\W_]+)*", text)))


def may_be_same_name(one: str, other: str) -> bool:
    """Whether all of the shorter name stands in the longer: people leave out middle names."""
    ours, theirs = set(normal_name(one).split()), set(normal_name(other).split())
    return bool(ours) and bool(theirs) and (ours <= theirs or theirs <= ours)


def normal(kind: IdentifierKind, value: str) -> str:
    """A value in the form in which two of its kind are equal when they mean the same."""
    return _NORMAL.get(kind, _plain)(value)


Level = tuple[Match, IdentifierKind]


class Matcher:
    """What is known of one person, in normal forms, to be compared with many records."""

    def __init__(self, person: Person) -> None:
        proven = [(Match.VERIFIED_IDENTIFIER, kind, person.verified(kind)) for kind in _SINGULAR]
        said = [(Match.UNVERIFIED_IDENTIFIER, kind, person.all(kind)) for kind in _SINGULAR]
        self._tests = [
            (match, kind, forms)
            for match, kind, values in (*proven, *said)
            if (forms := _forms(kind, values))
        ]
        self._names = _forms(IdentifierKind.NAME, person.all(IdentifierKind.NAME))
        self._kinds = {kind for _, kind, _ in self._tests}

    def level(
        self,
        *,
        emails: Iterable[str] = (),
        phones: Iterable[str] = (),
        names: Iterable[str] = (),
        others: Mapping[IdentifierKind, Iterable[str]] | None = None,
    ) -> Level | None:
        """The strongest way in which a record with these values matches, or None: a stranger's.

        Give only the values that say whose the record is: the holder's address, not that of
        others inside it. `others` may hold customer, order and national numbers and cookies; a
        birth date or a postal address is shared by too many to be looked at.
        """
        held: dict[IdentifierKind, Iterable[str]] = {
            **(others or {}),
            IdentifierKind.EMAIL: emails,
            IdentifierKind.PHONE: phones,
        }
        found = {kind: _forms(kind, held[kind]) for kind in self._kinds if kind in held}
        for match, kind, forms in self._tests:
            if not forms.isdisjoint(found.get(kind, ())):
                return match, kind
        if self._names and not self._names.isdisjoint(_forms(IdentifierKind.NAME, names)):
            return Match.SAME_NAME, IdentifierKind.NAME
        return None


def match_level(
    person: Person,
    *,
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
    names: Iterable[str] = (),
    others: Mapping[IdentifierKind, Iterable[str]] | None = None,
) -> Level | None:
    """How one record matches; `Matcher.level` says what to give."""
    return Matcher(person).level(emails=emails, phones=phones, names=names, others=others)


def _forms(kind: IdentifierKind, values: Iterable[str]) -> set[str]:
    return {form for value in values if (form := normal(kind, value))}


def _composed(text: str) -> str:
    return text if _LOOK_ALIKES.fullmatch(text) else unicodedata.normalize("NFC", text)


def _lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() or not c.lower().isascii() else c for c in text)


def _plain(value: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFC", value)).casefold()


def _digits(value: str) -> str:
    return re.sub(r"\D", "", value)


_NORWEGIAN = 8
_LOOK_ALIKES = re.compile("([\u037e\u1fef\u212a])")
"""The three characters that Unicode itself would turn into ASCII."""

_SINGULAR = (
    IdentifierKind.EMAIL,
    IdentifierKind.PHONE,
    IdentifierKind.NATIONAL_NUMBER,
    IdentifierKind.CUSTOMER_NUMBER,
    IdentifierKind.ORDER_NUMBER,
    IdentifierKind.COOKIE,
)
"""The kinds that tell one person from another, most telling first among those asked for."""

_NORMAL: Mapping[IdentifierKind, Callable[[str], str]] = {
    IdentifierKind.EMAIL: normal_email,
    IdentifierKind.PHONE: normal_phone,
    IdentifierKind.NAME: normal_name,
    IdentifierKind.NATIONAL_NUMBER: _digits,
}
