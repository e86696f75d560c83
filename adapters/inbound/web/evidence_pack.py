"""The evidence pack of a case: its events with their proof, its facts for programs, pages to read.

Whoever has the public key checks it without us (GDPR Art. 5(2), 24(1)). Without `with_content` it
holds no personal data, and works when all content was destroyed.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from eventsourcing.persistence import StoredEvent
from fastapi import Response

import adapters.evidence
from adapters.bootstrap import Installation, signing_keys
from adapters.evidence import sealed
from adapters.evidence.proofs import chain_proof
from adapters.evidence.trettio_verify import FORMAT, Event, told
from adapters.inbound.web.evidence_account import Told, account
from adapters.inbound.web.evidence_facts import facts
from adapters.inbound.web.past_pages import end_of
from adapters.inbound.whole_case import aggregates_in
from adapters.outbound import chain_store
from adapters.outbound.chain import ChainStopped
from adapters.outbound.checkpoints import canonical
from adapters.outbound.typesetting import TypstTypesetter
from domain.case import Case
from domain.deadlines import received_on
from domain.errors import NotAllowedNow
from domain.vocabulary import Language
from services.ports import PdfStandard
from services.register import UnknownHere

README = Path(adapters.evidence.__file__).with_name("README.txt")
TRIES = 20


def packed(
    installation: Installation, case: Case, *, as_of: date | None, with_content: bool
) -> Response:
    """The pack as a file to save."""
    pack = evidence_pack(installation, case.id, as_of=as_of, with_content=with_content)
    name = f"{case.reference}-evidence{f'-{as_of}' if as_of else ''}.zip"
    return Response(
        pack,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def evidence_pack(
    installation: Installation,
    case_id: UUID,
    *,
    as_of: date | None = None,
    with_content: bool = False,
) -> bytes:
    """A ZIP; with `as_of` what was known at the end of that day where the controller is.

    The look at it has been recorded by whoever asks.
    """
    key = signing_keys(installation.settings).current
    it, events = _told(installation, case_id, as_of, key.fingerprint)
    case, register = it.case, installation.register
    _require_signed(installation, max(one.position for one in events))
    stored = (StoredEvent(one.aggregate, one.version, one.topic, one.state) for one in events)
    refs = sealed.referred(register.mapper, stored)
    files = {
        "README.txt": _readme(it).encode(),
        "signing-key.pem": key.pem.encode(),
        "events.json": _json({"events": [_written(one) for one in events]}),
        "chain.json": _json(chain_proof(installation.database, {one.position for one in events})),
        "facts.json": _json(
            {
                **facts(installation, it),
                "sealed": list(sealed.told(installation.database, refs, it.destructions)),
            }
        ),
        **_accounts(installation, it),
    }
    if with_content:
        files["content.json"] = _json({"content": list(sealed.opened(installation.vault, refs))})
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "case": str(case.id),
        "reference": case.reference,
        "controller": case.controller,
        "as_of": as_of.isoformat() if as_of else None,
        "made_at": installation.clock().isoformat(),
        "key": key.fingerprint,
        "files": {name: sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    manifest["signature"] = key.sign(canonical(manifest))
    return _zipped({**files, "manifest.json": _json(manifest)})


def known_on(installation: Installation, case_id: UUID, day: date) -> dict[str, Any]:
    """The facts of a case as they were known at the end of a day; they name nobody."""
    it, _ = _told(installation, case_id, day, "")
    return {name: value for name, value in facts(installation, it).items() if name != "dpv"}


def _told(
    installation: Installation, case_id: UUID, as_of: date | None, fingerprint: str
) -> tuple[Told, list[Event]]:
    """What is told of a case, and its events; with `as_of` as of the end of that day."""
    register, now = installation.register, installation.clock()
    case: Case | None = register.case(case_id)
    assert case is not None
    profile = installation.controllers.in_force(case.controller)
    today = received_on(now, profile.country)
    moment = end_of(as_of, profile.country.zone) if as_of is not None else None
    events = _events(installation, case, moment)
    if moment is not None:
        case = register.as_of(Case, case_id, moment)
        if case is None or (as_of is not None and as_of > today):
            raise UnknownHere(f"the case was not known at the end of {as_of}")
    destructions = [
        one
        for one in installation.vault.destructions(case_id)
        if moment is None or one.destroyed_at <= moment
    ]
    told_of = Told(
        case=case,
        profile=profile,
        moment=moment or now,
        on=as_of or today,
        as_of=moment is not None,
        events=len(events),
        fingerprint=fingerprint,
        destructions=destructions,
    )
    return told_of, events


def _events(installation: Installation, case: Case, moment: datetime | None) -> list[Event]:
    """Everything of the case, in the order of the log."""
    rows = installation.database.ask(
        "SELECT notification_id, originator_id, originator_version, topic, recorded_at, state"
        " FROM trettio.log WHERE originator_id = ANY(%b) ORDER BY notification_id",
        [aggregates_in(installation, case)],
    )
    found = [Event._make((*where, bytes(state))) for *where, state in rows]
    if moment is None:
        return found
    known: dict[UUID, int] = {}
    for one in found:
        if one.recorded_at <= moment:
            known[one.aggregate] = max(one.version, known.get(one.aggregate, 0))
    return [one for one in found if one.version <= known.get(one.aggregate, 0)]


def _require_signed(installation: Installation, position: int) -> None:
    """Have the chain signed up to the newest event; another process may be about to do it."""
    chain = installation.chain()
    try:
        for _ in range(TRIES):
            chain.drain(sign=True)
            if chain_store.state(installation.database).signed_position >= position:
                return
    except ChainStopped as stopped:
        raise NotAllowedNow(f"there is no proof now: {stopped}") from None
    raise NotAllowedNow("the evidence chain has not reached this case's newest event: try again")


def _accounts(installation: Installation, it: Told) -> dict[str, bytes]:
    typesetter = TypstTypesetter()
    return {
        f"account.{language.value}.pdf": typesetter.pdf(
            account(installation, it, language), PdfStandard.ACCESSIBLE
        )
        for language in Language
    }


def _written(event: Event) -> dict[str, Any]:
    return {
        "position": event.position,
        "aggregate": str(event.aggregate),
        "version": event.version,
        "topic": event.topic,
        "recorded_at": event.recorded_at.astimezone(UTC).isoformat(),
        "state": event.state.decode(),
    }


def _readme(it: Told) -> str:
    return README.read_text("utf-8").format(
        case=it.case.reference,
        controller=it.profile.controller.name,
        moment=f"{it.moment:%Y-%m-%d %H:%M} UTC",
        events=it.events,
        fingerprint=told(it.fingerprint),
    )


def _json(what: object) -> bytes:
    return json.dumps(what, ensure_ascii=False, indent=1, default=str).encode()


def _zipped(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return out.getvalue()
