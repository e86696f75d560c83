"""Copies: the person's records as the person gets them; what was found stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

from domain.request import DataSubjectRequest
from services import dossier
from services.places import without_places
from services.ports import Record, Vault
from services.redacting import redacted
from services.register import Register


class Copies:
    """Every record with what is covered in it, and without places that must stay hidden."""

    def __init__(self, register: Register, vault: Vault) -> None:
        self._register, self._vault = register, vault

    def of(self, request: DataSubjectRequest) -> Iterator[tuple[str, Record]]:
        """Each of the person's records with the system it is from."""
        own = request.own_records
        hides = self._register.case(request.case_id).protected
        redaction = self._register.find_redaction(request.id)
        contents = self._vault.open_each(found.content for found in own)
        for found, content in zip(own, contents, strict=True):
            sealed = dossier.RECORD.validate_json(content)
            record = redacted(sealed.record, redaction.of(found) if redaction else ())
            yield sealed.system, without_places(record) if hides else record
