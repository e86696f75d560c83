"""No more marketing: the same day, without proof of identity (Art. 7(3), 21(2) and (3); GK-17)."""

from __future__ import annotations

from copy import deepcopy

import pytest

from adapters.demo.doubles.mailchimp import MailchimpDouble, fingerprint_of
from domain.deadlines import received_on
from domain.vocabulary import Compartment, Country, IdentifierKind, Right
from services.ports import Identifier
from tests.support.stories import Story, raw_mail, request_id

ADDRESS = "ola.reklame@post.example"
OBJECTION = "Hei, jeg vil ikke ha reklame fra dere. Stopp all markedsføring til meg.\n\nOla"
WITHDRAWAL = "Hei, eg trekkjer tilbake samtykket mitt til nyheitsbrevet.\n\nOla"


@pytest.mark.parametrize(
    ("text", "right", "language"),
    [
        (OBJECTION, Right.OBJECTION_TO_MARKETING, "nb"),
        (WITHDRAWAL, Right.WITHDRAWAL, "nn"),
    ],
)
def test_marketing_stops_the_same_day(
    story: Story, mailchimp: MailchimpDouble, text: str, right: Right, language: str
) -> None:
    mailchimp.add_member("news", ADDRESS)
    mailchimp.add_member("news", "stranger@other.example")
    before = deepcopy(mailchimp.members["news", fingerprint_of("stranger@other.example")])
    raw = raw_mail(text, sender=ADDRESS, arrived=story.moment())
    arrived = story.arrives(raw, "fjordscenen")
    assert (arrived["rights"], arrived["language"]) == ([right.value], language)

    case = story.confirm(arrived)

    request = request_id(case, right)
    today = received_on(story.moment(), Country.NO)
    assert mailchimp.members["news", fingerprint_of(ADDRESS)]["status"] == "unsubscribed"
    assert mailchimp.members["news", fingerprint_of("stranger@other.example")] == before
    shown = story.request(request)
    assert shown["status"] == "closed"
    assert shown["act_by"] >= str(today)
    assert shown["closed_at"][:10] == story.moment().date().isoformat()
    assert story.topics(request) == [
        "request.received",
        "request.verification-not-needed",
        "request.acknowledged",
        "request.answer-sent",
        "request.fulfilled",
        "request.closed",
    ]
    assert set(story.systems(request)) == {"mailing"}, "nobody else is asked about the person"
    letters = story.postbox.to(ADDRESS)
    assert [letter.kind for letter in letters] == ["acknowledgement", "answer"]
    assert "reklame" in letters[-1].text
    assert letters[-1].headers["Auto-Submitted"] == "auto-generated"


def test_who_is_imported_again_is_stopped_again(story: Story, mailchimp: MailchimpDouble) -> None:
    """GK-15, AK-14: the flag survives a new import, and the end of all that the case held."""
    mailchimp.add_member("news", ADDRESS)
    raw = raw_mail(OBJECTION, sender=ADDRESS, arrived=story.moment())
    case = story.confirm(story.arrives(raw, "fjordscenen"))
    request = request_id(case, Right.OBJECTION_TO_MARKETING)
    installation = story.installation
    for compartment in Compartment:
        installation.vault.destroy(story.aggregate(request).case_id, compartment)
    for address in (ADDRESS.upper(), "stranger@other.example"):
        mailchimp.members.pop(("news", fingerprint_of(address)), None)
        mailchimp.add_member("news", address)
    news = mailchimp.members["news", fingerprint_of(ADDRESS)]
    assert news["status"] == "subscribed"

    installation.suppressions.pass_over(received_on(story.moment(), Country.NO))
    story.work()

    assert mailchimp.members["news", fingerprint_of(ADDRESS)]["status"] == "unsubscribed"
    stranger = mailchimp.members["news", fingerprint_of("stranger@other.example")]
    assert stranger["status"] == "subscribed"
    assert story.topics(request)[-1] == "request.suppressed-again"
    (row,) = installation.database.fetch("SELECT again, key_version FROM trettio.suppressions")
    assert (row["again"], row["key_version"]) == (1, 1)

    kari = Identifier(IdentifierKind.EMAIL, ADDRESS)
    installation.suppressions.lift("fjordscenen", kari, because="signed-up-anew", by="anna")
    assert not installation.suppressions.is_on("fjordscenen", kari)
