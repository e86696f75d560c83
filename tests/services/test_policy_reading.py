"""A published policy is read as it is: quoted with its places, asked about, never believed."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.findings import check
from domain.policy import BodyType, ChannelKind, LegalBasis, Observation
from domain.vocabulary import Country, Language, Right, Severity
from services.policy_drafting import drafted
from services.policy_reading import (
    MOST_CHARACTERS,
    MOST_WORDS,
    NAMED_MAILBOX,
    NotReadable,
    Reading,
    read_policy,
)
from tests.domain.test_findings import EXPECTED
from tests.support.policies import POLICIES
from tests.support.published import FJORDLYST, SKOGSLJUS, policy_of

ON = date(2026, 11, 22)

INVENTED = {
    FJORDLYST: {
        "authority_missing",
        "consent_by_use",
        "fee_for_access",
        "form_requirement_conflicts_art12",
        "identity_document_always",
        "legitimate_interest_for_everything",
        "officer_decides",
        "promise_exceeds_law",
        "refusal_ground_unknown_to_law",
        "retention_without_end",
        "transfer_without_safeguards",
    },
    SKOGSLJUS: {
        "authority_outdated",
        "clock_starts_late",
        "complaint_asks_contact_first",
        "complaint_excluded",
        "consent_age_below_law",
        "contact_domain_typo",
        "cookie_claim",
        "frequency_limit",
        "objection_missing",
        "personnummer_gate",
        "portability_missing",
        "restriction_missing",
        "retention_anchor_undefined",
        "stale_policy",
        "statutory_hold_not_disclosed",
        "unresolved_placeholders",
        "withdrawal_harder_than_consent",
    },
}

OF_SYSTEMS = {"processor_agreement_missing"}
"""What only a profile can raise: no policy says what contracts there are."""


def read(text: str) -> Reading:
    return read_policy(text, read_on=ON)


def asked(text: str) -> set[str]:
    return {finding.code for finding in check(drafted(read(text)), ON)}


@pytest.mark.parametrize("path", INVENTED, ids=lambda path: path.stem)
def test_a_policy_that_nobody_has_seen_before_raises_exactly_its_findings(path: Path) -> None:
    """X-01, E-01: any policy can be read, and each finding shows the words it rests on."""
    text = path.read_text(encoding="utf-8")
    found = check(drafted(read(text)), ON)

    assert {finding.code for finding in found} == INVENTED[path]
    silent = {finding.code for finding in found if finding.quote is None}
    assert all(code.endswith("_missing") for code in silent - {"contact_domain_typo"})
    assert all(finding.article.startswith("Art. ") for finding in found)


def test_the_two_break_other_rules_than_each_other() -> None:
    first, second = INVENTED.values()

    assert not first & second


@pytest.mark.parametrize("short", sorted(POLICIES))
def test_a_published_policy_raises_what_a_careful_reader_found(short: str) -> None:
    """X-01: the words alone lead to every finding that words can lead to, and to no other."""
    text = policy_of(POLICIES[short].id)

    assert asked(text) == EXPECTED[short] - OF_SYSTEMS


@pytest.mark.parametrize("short", sorted(POLICIES))
def test_a_shipped_profile_is_told_by_what_its_policy_really_says(short: str) -> None:
    """D: country, names, promise and rights of the starting data follow from the text."""
    profile, draft = POLICIES[short], drafted(read(policy_of(POLICIES[short].id)))

    assert (draft.country, draft.promise_days) == (profile.country, profile.promise_days)
    assert draft.controller.name in profile.controller.names
    statutory = {right for right in Right if right.is_statutory} - {Right.HUMAN_REVIEW}
    assert draft.rights & statutory <= profile.rights | {Right.OBJECTION_TO_MARKETING}


@pytest.mark.parametrize("path", INVENTED, ids=lambda path: path.stem)
def test_every_quote_stands_where_it_is_said_to_stand(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    for one in read(text).observations:
        assert one.offset is not None
        assert text[one.offset :].startswith(one.quote)
        assert text.count("\n", 0, one.offset) + 1 == one.line
        assert 1 <= len(one.quote.split()) <= MOST_WORDS


def said(text: str, topic: str) -> list[Observation]:
    return list(read(text).said(topic))


def test_a_named_mailbox_is_a_channel_whose_name_is_not_written_down() -> None:
    """E-01, GK-02: the officer's own mailbox is official, and nobody's name goes into a file."""
    text = "Kontakt vårt personvernombud: kari.testesen@kulturhus.example eller tlf 22 00 00 00."

    reading = read(text)

    assert [channel.kind for channel in reading.channels] == [
        ChannelKind.OFFICER_EMAIL,
        ChannelKind.PHONE,
    ]
    assert all("testesen" not in f"{one.quote}{one.value}" for one in reading.observations)
    assert any(NAMED_MAILBOX in one.quote for one in reading.observations)


def test_what_the_law_says_in_general_is_no_basis_of_the_controller() -> None:
    """GK-29: a summary of when special categories may be used says nothing about these purposes."""
    general = (
        "Uten samtykke kan opplysninger behandles når det er nødvendig for arkivformål i"
        " allmennhetens interesse. Dette er våre kjøp og avtaler."
    )

    assert said(general, "legal-basis") == []


def test_numbered_purposes_keep_their_bases() -> None:
    """GK-16: the double basis of one purpose is found by its number."""
    text = (
        "Det rettslige grunnlaget for formål 1 og 2 er vår berettigede interesse.\n"
        "Det rettslige grunnlaget for formål 2 og 3 er å oppfylle vår kontrakt med deg.\n"
    )

    bases = {purpose.id: set(purpose.bases) for purpose in drafted(read(text)).purposes}

    interest, contract = LegalBasis.LEGITIMATE_INTEREST, LegalBasis.CONTRACT
    assert bases == {"1": {interest}, "2": {interest, contract}, "3": {contract}}


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Du får svar innen 30 dager.", 30),
        ("Vi svarar på din begäran inom tre veckor.", 21),
        ("We answer your request within 90 days.", 90),
        ("We answer your request within two months.", 60),
        ("Du får svar innan 14 dagar. Vi svarer på førespurnader innen 14 dagar.", 14),
        ("Du får svar innen en måned.", None),  # the law's own time is no promise of days
        ("Varene leveres innen 5 dager.", None),
    ],
)
def test_a_promise_is_read_in_days(text: str, days: int | None) -> None:
    assert drafted(read(text)).promise_days == days


@pytest.mark.parametrize(
    ("text", "body", "country"),
    [
        ("Lykt kommune er behandlingsansvarlig.", BodyType.PUBLIC_BODY, Country.NO),
        ("Lykt Kino IKS er behandlingsansvarlig.", BodyType.TO_BE_DECIDED, Country.NO),
        ("Lykt Biljett AB är personuppgiftsansvarig.", BodyType.COMPANY, Country.SE),
        ("Lykt kommun är personuppgiftsansvarig.", BodyType.PUBLIC_BODY, Country.SE),
    ],
)
def test_what_kind_of_body_it_is_follows_from_its_name(
    text: str, body: BodyType, country: Country
) -> None:
    reading = read(text)

    assert (reading.body_type, reading.country) == (body, country)


def test_two_legal_forms_of_one_name_are_two_controllers() -> None:
    """AK-01: letters wait until somebody says which of them it is."""
    text = "Vi i Lykt Kino IKS bryr oss.\n\nKontakt oss:\n\nLykt Kino AS\n"
    findings = check(drafted(read(text)), ON)

    assert read(text).names == ("Lykt Kino IKS", "Lykt Kino AS")
    assert findings[0].code == "controller_ambiguous"
    assert findings[0].severity is Severity.BLOCK_LETTERS


def test_a_policy_in_english_is_asked_about_like_any_other() -> None:
    text = (
        "Privacy policy of Lantern Tickets Ltd. You have the right of access to your data.\n"
        "A copy of your data: we charge a fee of 20 euros for each request.\n"
        "By using the site you consent to this policy. We keep your data indefinitely.\n"
        "Our data protection officer decides on every request.\n"
        "You may complain to the Swedish Authority for Privacy Protection.\n"
    )
    reading = read(text)

    assert (reading.language, reading.country) == (Language.EN, Country.SE)
    assert {
        "fee_for_access",
        "consent_by_use",
        "retention_without_end",
        "officer_decides",
        "erasure_missing",
    } <= asked(text)


# Text from outside


@pytest.mark.parametrize(
    "text",
    [
        "a" * 30_000,
        "samtykke " * 3_000,
        ("{{" * 40 + "}}") * 200,
        "Lagres i " + "1 " * 10_000,
        "kari@" * 4_000,
        "As " * 8_000 + "AS",
        "\n" * 20_000 + "x",
        "Krav om innsyn " * 1_500 + "kun",
    ],
    ids=range(8),
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()

    drafted(read(text))

    assert time.process_time() - began < 2


@settings(max_examples=30)
@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assume(text.strip())
    reading = read(text)
    check(drafted(reading), ON)
    assert all(len(one.quote.split()) <= MOST_WORDS for one in reading.observations)


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (MOST_CHARACTERS + 1)])
def test_what_is_no_policy_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(NotReadable, match=r"save|cut out"):
        read(text)
