"""What staff see of what people wrote: national numbers masked, hidden places hidden (E-10)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from domain.case import Case
from services import dossier
from services.national_numbers import mask_national_numbers
from services.places import hide, places_of
from services.ports import Vault

_DOCUMENT = re.compile(
    r"\b(?:pass(?:port)?|legitimasjon|legitimation|id[-_ ]?(?:kort|card|bevis)?|førerkort|forerkort"
    r"|körkort|korkort|driving[-_ ]?licen[cs]e)(?=\b|_|\d)"
)


def shown_message(
    message: dossier.SealedMessage, places: Iterable[str] = ()
) -> dossier.SealedMessage:
    """A message as a handler reads it; what was written stays as it is in the vault."""
    hidden = tuple(places)
    return replace(
        message,
        subject=_shown(message.subject, hidden),
        text=_shown(message.text, hidden),
        attachments=tuple(_shown(name, hidden) for name in message.attachments),
    )


def places_in(vault: Vault, case: Case) -> tuple[str, ...]:
    """The words for places of a protected person; none where nobody is protected."""
    if not case.protected or case.person is None:
        return ()
    person = dossier.person_in(vault, case.person)
    return places_of(person.identifiers)


def looks_like_a_document(name: str) -> bool:
    """Whether a file is called like the copy of an identity document, which is not to be kept."""
    return _DOCUMENT.search(name.casefold()) is not None


def _shown(text: str, places: tuple[str, ...]) -> str:
    return hide(mask_national_numbers(text), places)
