"""The end of our own case content: compartment by compartment, and the facts stay (MU-16, E-05)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from adapters.demo.doubles.mailchimp import MailchimpDouble
from domain.vocabulary import Compartment, IdentifierKind, Right
from services.ports import Erased, Identifier
from tests.support.stories import Story, raw_mail, request_id

ADDRESS, ANOTHER = "eva.slut@post.example", "ivar.annan@post.example"
ACCESS = "Hej! Jag vill ha ett registerutdrag: vilka uppgifter har ni om mig?\n\nEva"
STOP = "Hei, jeg vil ikke ha reklame fra dere. Stopp all markedsføring til meg.\n\nEva"
PROOF = b"\x89PNG a picture of something that proves who she is"
UPLOAD, PACKAGE, LETTERS = "upload", "package", "correspondence"


def test_each_compartment_ends_in_its_own_time(story: Story) -> None:
    """Upload at close, package thirty days later, correspondence after three years."""
    case, access = _answered(story, ADDRESS)
    other, other_access = _answered(story, ANOTHER, fetch=False)

    assert _kept(story, case) == {PACKAGE, LETTERS}, "what proved who she is went at close"
    assert _kept(story, other) == {UPLOAD, PACKAGE, LETTERS}
    story.pass_time(days=29)
    story.work()
    assert story.records(access)[0]["fields"] == {"subject": "Fråga om biljett"}

    story.pass_time(days=2)
    story.work()
    assert _kept(story, case) == {LETTERS}
    gone = story.get(f"/v1/requests/{access}/records", expect=410)
    assert gone["status"] == 410
    assert story.topics(access).count("request.content-destroyed") == 2

    story.pass_time(days=35 * 30.4)
    story.work()
    assert _kept(story, case) == {LETTERS}
    assert _cases_of(story, ADDRESS) == {UUID(case)}
    story.pass_time(days=40)
    story.work()
    assert _kept(story, case) == set()
    assert _cases_of(story, ADDRESS) == set()

    # The facts stay: everything loads, says when, and that its content is gone.
    shown = story.request(access)
    assert (shown["status"], shown["identified"]) == ("closed", True)
    assert story.topics(access)[-2:] == ["request.content-destroyed", "request.ended"]
    kept = story.case(case)
    for ref in (kept.message, *kept.attachments, *(x.text for x in kept.letters.values())):
        with pytest.raises(Erased):
            story.installation.vault.open(ref)
    assert story.at_the_desk(case).page
    assert story.get(f"/v1/cases/{case}")["status"] == "confirmed"

    # The other person's case is untouched.
    assert _kept(story, other) == {UPLOAD, PACKAGE, LETTERS}
    assert story.records(other_access)[0]["fields"] == {"subject": "Fråga om biljett"}
    assert _cases_of(story, ANOTHER) == {UUID(other)}


def test_a_public_body_destroys_nothing_before_the_archive_has_it(
    story: Story, mailchimp: MailchimpDouble
) -> None:
    """E-05, B.2.9: three years pass and nothing goes; the archive confirms, and it goes."""
    mailchimp.add_member("news", ADDRESS)
    raw = raw_mail(STOP, sender=ADDRESS, arrived=story.moment())
    case = story.confirm(story.arrives(raw, "fjordscenen"))
    request = request_id(case, Right.OBJECTION_TO_MARKETING)
    assert story.request(request)["status"] == "closed"
    for _ in range(3):
        story.pass_time(days=500)
        story.work()
    assert _kept(story, case["case_id"]) == {LETTERS}

    installation = story.installation
    closed = story.aggregate(request)
    receipt = installation.vault.seal(closed.case_id, Compartment.CORRESPONDENCE, b"journal 26/17")
    closed.hand_to_archive(receipt=receipt.ref, by="Arne Arkivar", at=story.moment())
    installation.register.save_all([closed], receipt.also)
    story.pass_time(days=1)
    story.work()

    assert _kept(story, case["case_id"]) == set()
    assert story.topics(request)[-5:] == [
        "request.handed-to-archive",
        "request.content-destroyed",
        "request.content-destroyed",
        "request.content-destroyed",
        "request.ended",
    ]


def test_a_request_is_shown_as_it_was_known_at_a_moment(story: Story) -> None:
    """What did you know and do on day X? Art. 5(2)."""
    raw = raw_mail(
        ACCESS, sender=ADDRESS, to="kontakt@stundbiljett.example", arrived=story.moment()
    )
    arrived = story.arrives(raw, "stundbiljett")
    before = datetime.now(UTC)
    case = story.confirm(arrived)
    access = request_id(case, Right.ACCESS)
    confirmed = datetime.now(UTC)
    story.prove(case["case_id"], ADDRESS)
    proven = datetime.now(UTC)
    story.post(f"/v1/requests/{access}/systems/web/answer", {"found": [], "reason": "searched"})

    path = f"/v1/requests/{access}"
    assert story.get(path, expect=404, as_of=before.isoformat())["title"] == "Not Found"
    known = [story.get(path, as_of=at.isoformat()) for at in (confirmed, proven)]
    assert [(one["status"], one["identified"]) for one in known] == [
        ("received", False),
        ("verified", True),
    ]
    assert story.get(path) == known[1]


# Steps


def _answered(story: Story, address: str, *, fetch: bool = True) -> tuple[str, str]:
    """Somebody's access request, answered, and fetched too if they care."""
    exports = story.installation.settings.exports / "stundbiljett" / "sms"
    exports.mkdir(parents=True, exist_ok=True)
    header = "Mottagare;Meddelande;Skickat;Ordernummer\n"
    (exports / "export.csv").write_text(header + "+46701740606;Hej;2026-10-01;ABCDE\n")
    raw = raw_mail(
        ACCESS,
        sender=address,
        to="kontakt@stundbiljett.example",
        arrived=story.moment(),
        attachment=PROOF,
    )
    case = story.confirm(story.arrives(raw, "stundbiljett"))
    access = request_id(case, Right.ACCESS)
    story.prove(case["case_id"], address)
    found = {
        "kind": "communication",
        "key": "thread 3",
        "fields": {"subject": "Fråga om biljett"},
    }
    story.look_by_hand(access, customer_service=[found])
    story.approve(access)
    if fetch:
        story.fetch(address)
        assert story.request(access)["status"] == "closed"
    return case["case_id"], access


def _kept(story: Story, case: str) -> set[str]:
    with psycopg.connect(story.database_url) as connection:
        rows = connection.execute(
            "SELECT compartment FROM trettio.vault_keys WHERE case_id = %s", [case]
        ).fetchall()
    return {compartment for (compartment,) in rows}


def _cases_of(story: Story, address: str) -> set[UUID]:
    known = Identifier(IdentifierKind.EMAIL, address)
    return set(story.installation.vault.cases_of("stundbiljett", known))
