"""Copies: the person's records as the person gets them; what was found stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from domain.request import DataSubjectRequest
from domain.values import FoundRecord
from domain.vocabulary import CoverReason
from services import dossier
from services.places import hidden_paths, without_places
from services.ports import Record, Vault
from services.redacting import Redacted, redacted
from services.register import Register


class Copies:
    """Every record with what is covered in it, and without places that must stay hidden."""

    def __init__(self, register: Register, vault: Vault) -> None:
        self._register, self._vault = register, vault

    def of(self, request: DataSubjectRequest) -> Iterator[tuple[str, Record]]:
        """Each of the person's records with the system it is from."""
        for found, record in self._each(request):
            yield found.system, record

    def tells_of_others(self, request: DataSubjectRequest) -> bool:
        """Whether something is covered for another reason than the person's own protection."""
        hides = self._register.case(request.case_id).protected
        return any(
            not hides or _covered(record).get(path) != _OWN_PLACES
            for _, record in self._each(request)
            for path in record.masked
        )

    def without_places(self, request: DataSubjectRequest) -> frozenset[UUID]:
        """The records of which the person does not get a place: their identity is protected."""
        if not self._register.case(request.case_id).protected:
            return frozenset()
        return frozenset(
            found.record_id
            for found, record in self._each(request)
            if CoverReason.PROTECTED_IDENTITY in {w for y in _covered(record).values() for w in y}
        )

    def _each(self, request: DataSubjectRequest) -> Iterator[tuple[FoundRecord, Record]]:
        own = request.own_records
        hides = self._register.case(request.case_id).protected
        redaction = self._register.find_redaction(request.id)
        contents = self._vault.open_each(found.content for found in own)
        for found, content in zip(own, contents, strict=True):
            sealed = dossier.RECORD.validate_json(content)
            record = redacted(sealed.record, redaction.of(found) if redaction else ())
            yield found, _places_covered(record) if hides else record


_OWN_PLACES = (CoverReason.PROTECTED_IDENTITY,)


def _covered(record: Record) -> Mapping[str, tuple[CoverReason, ...]]:
    return record.covered if isinstance(record, Redacted) else {}


def _places_covered(record: Record) -> Record:
    """The record without its places, each with the reason (Art. 12(4), 15(4), 20(4))."""
    shown = without_places(record)
    reasons = dict(_covered(record))
    for path in hidden_paths(record.fields, shown.fields):
        reasons[path] = tuple(dict.fromkeys((*reasons.get(path, ()), *_OWN_PLACES)))
    if not reasons:
        return shown
    named = {name: getattr(shown, name) for name in Record.__dataclass_fields__}
    named["masked"] = tuple(dict.fromkeys((*record.masked, *reasons)))
    return Redacted(**named, covered=reasons)
