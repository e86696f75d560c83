"""Sealed contents as evidence: that they were there, what became of them, never what they said.

A digest is of what is sealed, so it tells nothing to who lacks the key (GDPR Art. 5(1)(c), 17).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Mapper, StoredEvent

from adapters.outbound.consistency import references
from adapters.outbound.database import Database
from domain.personal import PersonalRef
from domain.vocabulary import Compartment
from services.ports import Destruction, Erased, Vault

MANY = 500


def referred(mapper: Mapper[UUID], events: Iterable[StoredEvent]) -> dict[UUID, Compartment]:
    """Every content that these events refer to, in order, and where it was sealed."""
    found: dict[UUID, Compartment] = {}
    for stored in events:
        for ref, compartment in references(vars(mapper.to_domain_event(stored))):
            found.setdefault(ref.id, compartment)
    return found


def told(
    database: Database,
    refs: Mapping[UUID, Compartment],
    destructions: Sequence[Destruction],
) -> Iterator[dict[str, Any]]:
    """What is known of each: the digest of what is sealed, or by which proof it is gone."""
    gone = {one.compartment: one for one in destructions}
    ids = list(refs)
    for start in range(0, len(ids), MANY):
        some = ids[start : start + MANY]
        sealed: dict[UUID, str] = dict(
            database.ask(
                "SELECT id, encode(sha256(sealed), 'hex') FROM trettio.vault_rows"
                " WHERE id = ANY(%b)",
                [some],
            )
        )
        for ref in some:
            proof = gone.get(refs[ref]) if ref not in sealed else None
            yield {
                "ref": str(ref),
                "compartment": refs[ref].value,
                "sealed_sha256": sealed.get(ref),
                "destroyed_with_key": str(proof.key_id) if proof else None,
                "destroyed_at": proof.destroyed_at.isoformat() if proof else None,
            }


def opened(vault: Vault, refs: Iterable[UUID]) -> Iterator[dict[str, Any]]:
    """What they say, for whoever may read it: personal data."""
    for ref in refs:
        try:
            content = vault.open(PersonalRef(ref))
        except Erased:
            yield {"ref": str(ref), "erased": True}
            continue
        try:
            text = content.decode()
        except UnicodeDecodeError:
            yield {"ref": str(ref), "base64": base64.b64encode(content).decode()}
            continue
        is_json = text.startswith("{")
        yield {"ref": str(ref), **({"is": json.loads(text)} if is_json else {"text": text})}
