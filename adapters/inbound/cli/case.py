"""`trettio case`: carry a case from its message to its end, from a terminal."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from adapters.inbound.cli import (
    case_clock,
    case_copies,
    case_more,
    case_people,
    case_rights,
    case_work,
)
from adapters.inbound.cli.case_seat import PURPOSES, Terminal, read, seated
from adapters.inbound.cli.console import stop
from domain.vocabulary import Content, IdentityMethod, Language, Right, TriageKind

cases = typer.Typer(no_args_is_help=True, help="Cases: read them, decide, and see to their end.")

Case = Annotated[str, typer.Argument(help="The case's reference, or its id.", metavar="CASE")]
From = Annotated[str | None, typer.Option(help="A file, or - for standard input.", metavar="FILE")]


def register(app: typer.Typer) -> None:
    app.add_typer(cases, name="case")


@cases.callback()
def who(
    context: typer.Context,
    staff: Annotated[
        str,
        typer.Option("--as", envvar="TRETTIO_STAFF", help="Your staff id: it is recorded."),
    ],
    purpose: Annotated[
        str | None,
        typer.Option(help="What for you read personal data.", metavar="|".join(PURPOSES)),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Cases: read them, decide, and see to their end."""
    if purpose is not None and purpose not in PURPOSES:
        stop(f"{purpose!r} is no purpose; there are: {', '.join(PURPOSES)}")
    if not staff.strip():
        stop("say who you are, with --as STAFF")
    context.obj = Terminal(staff.strip(), purpose, as_json)


@cases.command("list")
def list_cases(
    context: typer.Context,
    controller: Annotated[str | None, typer.Option(help="Only this controller's.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only what is assigned to you.")] = False,
) -> None:
    """What waits to be confirmed, then every request that is not closed, by the day to aim for."""
    from domain.case import reference
    from projections.incoming import inbox
    from projections.worklist import entries

    with seated(context) as seat:
        known = seat.installation.controllers.names()
        names = [name for name in known if controller in (None, name)]
        seat.installation.follower().drain()
        waiting = [
            {
                "case": reference(one.case_id),
                "controller": one.controller,
                "status": "waiting",
                "kind": one.kind,
                "rights": list(one.rights),
                "received_at": one.received_at.isoformat(),
            }
            for one in inbox(seat.installation.database, names, limit=1_000)
        ]
        work = entries(
            seat.installation.database, names, assigned_to=seat.by if mine else None, limit=1_000
        )
        asked = [
            {
                "case": reference(one.case_id),
                "controller": one.controller,
                "right": one.subject_right,
                "status": one.status,
                "target_due": one.target_due.isoformat(),
                "blocked_by": list(one.blocked_by),
                "turn": one.turn,
                "assigned_to": one.assigned_to,
            }
            for one in work
        ]
        seat.tell([*([] if mine else waiting), *asked])


@cases.command()
def show(
    context: typer.Context,
    case: Case,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="What was known at the end of this day."),
    ] = None,
) -> None:
    """One case; with --purpose also what the person wrote, and who seems to ask.

    With --as-of from the log alone: nothing that came later, and nothing personal.
    """
    from services import dossier

    with seated(context) as seat:
        found = seat.case(case)
        if as_of is not None:
            from adapters.inbound.web.evidence_pack import known_on

            seat.tell(known_on(seat.installation, found.id, as_of.date()))
            return
        if not seat.may_look:
            seat.tell_case(found.id)
            return
        from adapters.inbound.api.cases import shown

        seat.look_into(found, Content.PERSON, Content.MESSAGE)
        installation = seat.installation
        messages = [
            dossier.MESSAGE.validate_json(installation.vault.open(ref)) for ref in found.messages
        ]
        identifiers = installation.intake.proposed_identifiers(found.id)
        seat.tell(
            {
                **shown(installation, found).model_dump(mode="json"),
                "written": [
                    {"from": one.sender_address, "subject": one.subject, "text": one.text}
                    for one in messages
                ],
                "identifiers": [{"kind": i.kind.value, "value": i.value} for i in identifiers],
            }
        )


@cases.command()
def confirm(
    context: typer.Context,
    case: Case,
    rights: Annotated[list[Right], typer.Argument(help="What is asked for.")],
    language: Annotated[
        Language | None, typer.Option(help="Of the letters; the message's if left out.")
    ] = None,
    identifiers_from: From = None,
) -> None:
    """Say what is asked and for whom; identifiers are taken from the message unless given.

    The file holds JSON: [{"kind": "email", "value": "…"}].
    """
    from domain.vocabulary import IdentifierKind
    from services.ports import Identifier

    with seated(context) as seat:
        found = seat.case(case)
        given = read(identifiers_from)
        identifiers = (
            tuple(Identifier(IdentifierKind(o["kind"]), o["value"]) for o in json.loads(given))
            if given
            else seat.installation.intake.proposed_identifiers(found.id)
        )
        seat.installation.intake.confirm(
            found.id,
            rights=tuple(rights),
            language=language or found.language,
            identifiers=identifiers,
            by=seat.by,
        )
        seat.tell_case(found.id)


@cases.command("set-aside")
def set_aside(context: typer.Context, case: Case, kind: TriageKind) -> None:
    """No request under the GDPR."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.passing_on.set_aside(found.id, kind=kind, by=seat.by)
        seat.tell_case(found.id)


# Identity


@cases.command("ask-identity")
def ask_identity(
    context: typer.Context,
    case: Case,
    reason: Annotated[str, typer.Option(help="Why there is doubt, as a code.")],
) -> None:
    """Ask for proof, by code or by post; the reason for doubt is recorded (Art. 12(6))."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.identity.ask(found.id, reason=reason, by=seat.by)
        seat.tell_case(found.id)


@cases.command("try-code")
def try_code(
    context: typer.Context,
    case: Case,
    code: Annotated[str, typer.Option(prompt=True, hide_input=True, help="What they read out.")],
) -> None:
    """Try a code that the person wrote back or read out."""
    from services.ports import CodeCheck

    with seated(context) as seat:
        found = seat.case(case)
        answer = seat.installation.identity.check_code(found.id, code)
        if answer is not CodeCheck.RIGHT:
            stop(f"the code is {answer.value}", code=1)
        seat.tell_case(found.id)


@cases.command()
def verified(context: typer.Context, case: Case, method: IdentityMethod) -> None:
    """Record that identity was checked another way; what was shown is not kept."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.identity.verify_by_hand(found.id, method=method, by=seat.by)
        seat.tell_case(found.id)


# Letters


@cases.command()
def letters(context: typer.Context, case: Case) -> None:
    """Every letter of a case; with --purpose its text too."""
    from domain.vocabulary import LetterKind
    from services import dossier

    with seated(context) as seat:
        found = seat.case(case)
        if seat.may_look:
            seat.look_into(found, Content.LETTER)
        rows = []
        for letter in found.letters.values():
            left = found.left.get(letter.id)
            row: dict[str, object] = {
                "letter_id": str(letter.id),
                "kind": letter.kind.value,
                "printed": letter.printed,
                "left_at": left.isoformat() if left else None,
                "failed": found.failed.get(letter.id),
            }
            # Whoever could read a code here could prove to be somebody else.
            if seat.may_look and letter.kind is not LetterKind.IDENTITY_CODE:
                sealed = seat.installation.vault.open(letter.text)
                row["text"] = dossier.LETTER.validate_json(sealed).text
            rows.append(row)
        seat.tell(rows)


@cases.command()
def posted(context: typer.Context, case: Case, letter: UUID) -> None:
    """Record that a printed letter was posted."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.answering.letter_left(found.id, letter, how="post", by=seat.by)
        seat.tell_case(found.id)


@cases.command("send-again")
def send_again(context: typer.Context, case: Case, letter: UUID) -> None:
    """Send a letter again that nobody took."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.answering.send_again(found.id, letter)
        seat.tell_case(found.id)


# Recipients


@cases.command()
def recipients(
    context: typer.Context,
    case: Case,
    tell: Annotated[
        bool, typer.Option("--tell", help="Write to the person and name them.")
    ] = False,
) -> None:
    """Who received what, by name, and who was told of what and when (Art. 19)."""
    from services.recipient_ledger import label

    with seated(context) as seat:
        found = seat.case(case)
        if tell:
            seat.installation.recipients.tell_person(found.id, by=seat.by)
            seat.tell_case(found.id)
            return
        seat.look_into(found, Content.RECORD)
        profile = seat.installation.controllers.in_force(found.controller)
        seat.tell(
            [
                {
                    "recipient": label(profile, entry),
                    "stage": entry.stage.value,
                    "about": entry.about.value,
                    "on": entry.on.isoformat() if entry.on else None,
                    "categories": list(entry.categories),
                    "fields": list(entry.fields),
                }
                for entry in seat.installation.recipients.ledger(found.id)
            ]
        )


for module in (case_people, case_work, case_copies, case_rights, case_clock, case_more):
    module.register(cases)
