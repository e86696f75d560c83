"""`trettio case …`: letters looked at and delivered, documents enclosed, and what is for others."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from adapters.inbound.cli.case_seat import read, seated
from adapters.inbound.cli.console import stop
from domain.vocabulary import Content, DeliveryWay, Language, LetterKind, Right

Case = Annotated[str, typer.Argument(help="The case's reference, or its id.", metavar="CASE")]
From = Annotated[str | None, typer.Option(help="A file, or - for standard input.", metavar="FILE")]


def register(cases: typer.Typer) -> None:
    commands: tuple[Callable[..., None], ...] = (preview, delivered, attach, refer, duplicate)
    for command in commands:
        cases.command()(command)


def preview(
    context: typer.Context,
    case: Case,
    kind: LetterKind,
    right: Annotated[Right | None, typer.Option(help="Which right it is about.")] = None,
    language: Annotated[Language | None, typer.Option()] = None,
    given_from: From = None,
    pdf: Annotated[
        Path | None, typer.Option(help="Write it there as PDF.", dir_okay=False, writable=True)
    ] = None,
) -> None:
    """Look at a letter before it is written; nothing is changed.

    The file holds JSON: what whoever writes adds, by the names of `POST …/letters/preview`.
    """
    from pydantic import ValidationError

    from adapters.inbound.api.letters import Added, given

    with seated(context) as seat:
        found = seat.case(case)
        seat.look_into(found, Content.LETTER)
        try:
            form = Added.model_validate_json(read(given_from) or "{}")
        except ValidationError as error:
            where = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
            stop(f"what the letter is given is not right: look at {where}")
        letter = seat.installation.previews.letter(
            found.id, kind, right=right, language=language, by=seat.by, given=given(form)
        )
        if pdf is not None:
            pdf.write_bytes(seat.installation.delivery.preview_pdf(found.id, letter))
        seat.tell(
            {
                "kind": kind.value,
                "language": letter.letter.language.value,
                "subject": letter.subject,
                "text": letter.text,
                "pdf": str(pdf) if pdf else None,
            }
        )


def delivered(
    context: typer.Context,
    case: Case,
    letter: UUID,
    way: Annotated[DeliveryWay, typer.Option(help="How it got there.")],
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="On which day.")],
    tracking: Annotated[str, typer.Option(help="A registered letter's number.")] = "",
    seen_from: From = None,
) -> None:
    """Record that a letter was posted, handed over or read aloud, and what shows it.

    The file says how the person showed who they are: no copy, no number.
    """
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.delivery.delivered(
            found.id,
            letter,
            way=way,
            on=on.date(),
            tracking=tracking,
            seen=read(seen_from),
            by=seat.by,
        )
        seat.tell_case(found.id)


def attach(context: typer.Context, case: Case, right: Right, document: Path) -> None:
    """Enclose a document with an answer in words; it is sealed, its name too."""
    from services.ports import Attachment

    with seated(context) as seat:
        request = seat.request(case, right)
        try:
            content = document.read_bytes()
        except OSError as error:
            stop(f"{document} cannot be read ({error.strerror})")
        media_type = mimetypes.guess_type(document.name)[0] or "application/octet-stream"
        seat.installation.informing.attach(
            request.id, Attachment(document.name, media_type, content), by=seat.by
        )
        seat.tell_request(request)


def refer(
    context: typer.Context,
    case: Case,
    right: Right,
    recipient: Annotated[str, typer.Option(help="A recipient of the profile, by its id.")] = "",
    name: Annotated[str, typer.Option(help="Or who it is.")] = "",
    contact: Annotated[str, typer.Option(help="And how they are reached.")] = "",
    words_from: From = None,
) -> None:
    """Another controller answers it; the request closes when the letter has left."""
    from services.passing_on import Somebody

    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.correcting.refer(
            request.id, to=Somebody(recipient, name, contact), words=read(words_from), by=seat.by
        )
        seat.tell_request(request)


def duplicate(
    context: typer.Context,
    case: Case,
    right: Right,
    of: Annotated[str, typer.Option(help="The case that asks the same.", metavar="CASE")],
) -> None:
    """Say that two cases ask the same; the earliest receipt is that of both."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.receipts.link(request.id, to=seat.request(of, right).id, by=seat.by)
        seat.tell_request(request)
