"""`trettio case …`: what was found, what is covered in the copy, and what goes elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from adapters.inbound.cli.case_seat import read, seated
from adapters.inbound.cli.console import stop
from domain.vocabulary import Content, CoverReason, IdentifierKind, Right

Case = Annotated[str, typer.Argument(help="The case's reference, or its id.", metavar="CASE")]
Record = Annotated[UUID, typer.Argument(help="The found record's id.")]
Reason = Annotated[str, typer.Option(help="A code, never personal data.")]
From = Annotated[str | None, typer.Option(help="A file, or - for standard input.", metavar="FILE")]


def register(cases: typer.Typer) -> None:
    commands: tuple[Callable[..., None], ...] = (
        records,
        match,
        cover,
        covered,
        uncover,
        clear,
        transfer,
        package,
        disclosed,
        withhold,
        identifiers,
    )
    for command in commands:
        cases.command()(command)


def records(context: typer.Context, case: Case, right: Right) -> None:
    """What was found and how it matched; with --purpose its content too."""
    with seated(context) as seat:
        request = seat.request(case, right)
        content = {}
        if seat.may_look:
            seat.look_into(request, Content.RECORD)
            content = seat.installation.deciding.records(request)
        rows = []
        for found in request.found.values():
            row: dict[str, object] = {
                "record_id": str(found.record_id),
                "system": found.system,
                "kind": found.kind,
                "category": found.category,
                "match": found.match.value,
                "theirs": request.matches.get(
                    found.record_id, None if found.needs_a_person else True
                ),
                "mentions_others": found.mentions_others,
            }
            if found.record_id in content:
                row["fields"] = dict(content[found.record_id].fields)
            rows.append(row)
        seat.tell(rows)


def match(
    context: typer.Context,
    case: Case,
    right: Right,
    record: Record,
    theirs: Annotated[bool, typer.Option("--theirs/--not-theirs")],
    reason: Reason,
) -> None:
    """Say whether a weakly matching record is the person's."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.deciding.decide_match(
            request.id, record, theirs=theirs, reason=reason, by=seat.by
        )
        seat.tell_request(request)


def cover(
    context: typer.Context,
    case: Case,
    right: Right,
    record: Record,
    field: Annotated[str, typer.Option(help="The field's path, as the record shows it.")],
    reason: Annotated[CoverReason, typer.Option(help="Why it is covered.")],
    text_from: From = None,
    words_from: From = None,
) -> None:
    """Cover a field, or words in it, in the copy (Art. 15(4)); what was found stays as it is."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.redacting.cover(
            request.id,
            record,
            path=field,
            reason=reason,
            text=read(text_from),
            words=read(words_from),
            by=seat.by,
        )
        seat.tell_request(request)


def covered(context: typer.Context, case: Case, right: Right) -> None:
    """Every covered passage, with the words under it."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.look_into(request, Content.RECORD)
        seat.tell(
            [
                {
                    "passage_id": str(one.passage.passage_id),
                    "record_id": str(found.record_id),
                    "field": one.field,
                    "text": one.text,
                    "reason": one.passage.reason.value,
                    "words": one.words,
                }
                for found in request.own_records
                for one in seat.installation.redacting.covered(request, found)
            ]
        )


def uncover(
    context: typer.Context, case: Case, right: Right, passage: UUID, reason: Reason
) -> None:
    """Show a covered passage after all."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.redacting.uncover(request.id, passage, reason=reason, by=seat.by)
        seat.tell_request(request)


def clear(context: typer.Context, case: Case, right: Right, record: Record, reason: Reason) -> None:
    """Say that you have read the record, and that nothing in it has to be covered."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.redacting.clear(request.id, record, reason=reason, by=seat.by)
        seat.tell_request(request)


def transfer(
    context: typer.Context,
    case: Case,
    to_from: From = None,
    feasible: Annotated[bool | None, typer.Option("--feasible/--not-feasible")] = None,
    made: Annotated[bool, typer.Option("--made", help="The other controller has it.")] = False,
    reason: Annotated[str, typer.Option(help="A code.")] = "by-hand",
) -> None:
    """A transfer to another controller: asked for, feasible or not, made (Art. 20(2))."""
    with seated(context) as seat:
        request = seat.request(case, Right.PORTABILITY)
        porting = seat.installation.porting
        if to_from is not None:
            porting.ask(request.id, to=read(to_from), by=seat.by)
        if feasible is not None:
            porting.judge(request.id, feasible=feasible, reason=reason, by=seat.by)
        if made:
            porting.made(request.id, how=reason, by=seat.by)
        seat.tell_request(request)


def package(
    context: typer.Context,
    case: Case,
    right: Right,
    out: Annotated[Path | None, typer.Option(help="Where to write the ZIP.")] = None,
) -> None:
    """The copy that is enclosed, or, before a direct transfer, the file for it."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.look_into(request, Content.PACKAGE)
        known = seat.installation.register.find_direct_transfer(request.id)
        waits = known is not None and known.made_at is None
        content = (
            seat.installation.porting.file(request.id)
            if waits
            else seat.installation.answering.package(request.id)
        )
        if out is None:
            sys.stdout.buffer.write(content)
            return
        try:
            out.write_bytes(content)
        except OSError as error:
            stop(f"{out} cannot be written ({error.strerror})")


def disclosed(
    context: typer.Context,
    case: Case,
    authority: Annotated[str, typer.Option(help="Who was given it. Sealed.")],
    category: Annotated[list[str], typer.Option(help="A category of the profile. Repeatable.")],
    on: Annotated[str, typer.Option(help="The day, as 2026-03-02.", metavar="DAY")],
    ground: Annotated[str, typer.Option(help="A code.")] = "authority-asked",
    words: Annotated[str, typer.Option(help="Whatever else is to be known. Sealed.")] = "",
) -> None:
    """What an authority was given about the person; the answer names it."""
    with seated(context) as seat:
        try:
            day = date.fromisoformat(on)
        except ValueError:
            stop(f"{on!r} is no day such as 2026-03-02")
        found = seat.case(case)
        one = seat.installation.disclosing.record(
            found.id,
            authority=authority,
            categories=category,
            given_on=day,
            ground=ground,
            words=words,
            by=seat.by,
        )
        seat.tell({"disclosure_id": str(one)})


def withhold(
    context: typer.Context,
    case: Case,
    disclosure: Annotated[UUID, typer.Argument(help="The disclosure's id.")],
    law: Annotated[str, typer.Option(help="The national exception, as no.pol.16.b.")],
    words: Annotated[str, typer.Option(help="Why. Sealed.")],
) -> None:
    """Keep a disclosure out of the answer; the letter names the law."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.disclosing.withhold(
            found.id, disclosure, law=law, words=words, by=seat.by
        )
        seat.tell_case(found.id)


def identifiers(
    context: typer.Context,
    case: Case,
    right: Right,
    given: Annotated[
        list[str], typer.Argument(help="As cookie=… or ip-address=….", metavar="KIND=VALUE…")
    ],
) -> None:
    """More to find the person by: where nobody could search, somebody looks again (Art. 11)."""
    from services.ports import Identifier

    with seated(context) as seat:
        request = seat.request(case, right)
        more = []
        for one in given:
            kind, _, value = one.partition("=")
            try:
                more.append(Identifier(IdentifierKind(kind), value))
            except ValueError:
                stop(f"{kind!r} is no kind of identifier, such as cookie or ip-address")
        seat.installation.searching_again.take(request.id, more, by=seat.by)
        seat.tell_request(request)
