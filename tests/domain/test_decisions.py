"""What becomes of a record: the rows of `decisions.txt`, and what holds whatever comes."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decisions import ErasureGround, RecordFacts, StandingHold, Verdict, decide
from domain.errors import DomainError
from domain.facts import ANCHORS, FLAGS
from domain.grounds import codes, ground, grounds, say
from domain.personal import PersonalRef
from domain.policy import BodyType, FiscalYear, Profile
from domain.vocabulary import Decision, Language
from tests.support.policies import POLICIES

ON = date(2026, 11, 22)
WHY = PersonalRef(UUID(int=1))

TABLE = Path(__file__).with_name("decisions.txt").read_text(encoding="utf-8")


def rows() -> list[tuple[str, ...]]:
    cells = [
        tuple(cell.strip() for cell in line.split("|"))
        for line in TABLE.splitlines()
        if "|" in line and not line.startswith("line ")
    ]
    assert all(len(row) == 12 for row in cells), [row for row in cells if len(row) != 12]
    return cells


def words(cell: str) -> list[str]:
    return [] if cell == "-" else cell.split()


def pairs(cell: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words(cell))


def day(cell: str | None) -> date | None:
    return date.fromisoformat(cell) if cell and cell != "-" else None


def controller(short: str, changes: dict[str, str]) -> Profile:
    profile = POLICIES[short]
    if "fy" in changes:
        month, last = changes["fy"].split("-")
        profile = dataclasses.replace(profile, fiscal_year=FiscalYear(int(month), int(last)))
    if "body" in changes:
        profile = dataclasses.replace(profile, body_type=BodyType(changes["body"]))
    return profile


def hold(changes: dict[str, str], system: str, category: str) -> list[StandingHold]:
    if "hold" not in changes:
        return []
    return [
        StandingHold(
            system=system,
            category=category,
            ground=changes["hold"],
            until=day(changes.get("until")),
            review_on=day(changes.get("review")),
            reason=WHY,
            owner="staff-7",
            fields=tuple(filter(None, changes.get("fields", "").split(","))),
            kinds=tuple(filter(None, changes.get("kinds", "").split(","))),
        )
    ]


def category_of(profile: Profile, facts: RecordFacts) -> str:
    for system in profile.systems:
        held = system.holding(facts.kind)
        if system.id == facts.system and held:
            return held.category
    return ""


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]}:{row[1].replace(' ', ':')}")
def test_a_record_becomes(row: tuple[str, ...]) -> None:
    """Each row of the table names its line."""
    _, record, changed, flags, anchors, on, asked, becomes, why, until, keeps, asks = row
    short, place = record.split()
    system, kind = place.split("/")
    changes = pairs(changed)
    profile = controller(short, changes)
    known = {name: date.fromisoformat(text) for name, text in pairs(anchors).items()}
    facts = RecordFacts(system, kind, anchors=known, flags=frozenset(words(flags)))

    verdict = decide(
        facts,
        profile,
        hold(changes, system, category_of(profile, facts)),
        day(on) or ON,
        ground=ErasureGround("a" if asked == "-" else asked),
    )

    kept_whole = (
        "all" if verdict.kept and not verdict.keep_fields else " ".join(verdict.keep_fields)
    )
    assert (
        verdict.decision.value,
        verdict.ground or "-",
        verdict.until,
        kept_whole or "-",
        " ".join(verdict.asks) or "-",
    ) == (becomes, why, day(until), keeps, asks)


def test_the_table_names_only_facts_that_exist() -> None:
    assert len(rows()) >= 60
    for row in rows():
        assert set(words(row[3])) <= set(FLAGS), row
        assert set(pairs(row[4])) <= set(ANCHORS), row


# What the person is told


def test_of_two_reasons_the_letter_gets_both_each_with_its_own_day() -> None:
    """AO-07: the voucher for years, what the guarantee takes only while it runs."""
    verdict = decide(
        RecordFacts(
            "shop",
            "purchase",
            anchors={"last_purchase": date(2026, 3, 4), "warranty_ends": date(2027, 1, 31)},
            flags=frozenset({"paid"}),
        ),
        POLICIES["AO"],
        [],
        ON,
    )

    assert [(kept.ground, kept.until) for kept in verdict.kept] == [
        ("se.bokforing", date(2033, 12, 31)),
        ("contract.warranty", date(2027, 2, 1)),
    ]
    assert verdict.law == "bokföringslagen 7 kap. 2 §"
    assert verdict.met is ErasureGround.NO_LONGER_NEEDED  # for the fields that go


@pytest.mark.parametrize(
    ("short", "place", "asked", "met"),
    [
        ("AK", "newsletter/member", "a", "c-marketing"),
        ("OK", "mailing/member", "b", "c-marketing"),
        ("AK", "ticketing/customer", "a", "a"),
        ("GK", "web/usage", "a", "c"),
        ("GK", "web/usage", "d", "d"),
    ],
)
def test_every_erasure_records_the_letter_of_article_17_that_is_met(
    short: str, place: str, asked: str, met: str
) -> None:
    """GK-06, GK-08, B.1 row 17: to object is heard in a plain request too."""
    system, kind = place.split("/")

    verdict = decide(
        RecordFacts(system, kind, flags=frozenset({"handed_to_archive"})),
        POLICIES[short],
        [],
        ON,
        ground=ErasureGround(asked),
    )

    assert verdict.met is ErasureGround(met)


def test_the_bookkeeping_steps_can_be_told_one_by_one() -> None:
    """E-12."""
    profile = dataclasses.replace(POLICIES["AO"], fiscal_year=FiscalYear(6, 30))
    facts = RecordFacts("shop", "purchase", anchors={"voucher": date(2026, 3, 4)})

    verdict = decide(facts, profile, [], ON)

    assert [(step.code, step.day) for step in verdict.steps] == [
        ("voucher_dated", date(2026, 3, 4)),
        ("fiscal_year_ended", date(2026, 6, 30)),
        ("kept_until", date(2033, 12, 31)),
    ]


@pytest.mark.parametrize(
    ("flag", "notice"),
    [
        ("special_category", "special_category_found"),
        ("full_card_number", "full_card_number_found"),
    ],
)
def test_the_handler_is_told_what_needs_care(flag: str, notice: str) -> None:
    """AK-19: data that is special; GK-12, MU-04: a whole card number."""
    facts = RecordFacts("ticketing", "customer", flags=frozenset({flag}))

    assert decide(facts, POLICIES["AK"], [], ON).notices == (notice,)


def test_an_objection_to_marketing_leaves_what_serves_more_than_marketing() -> None:
    """OK-09: service messages about a ticket are none."""
    policy = POLICIES["AO"]
    mixed = dataclasses.replace(policy.category("contact"), purposes=("orders", "newsletter"))
    profile = dataclasses.replace(
        policy, categories=(mixed, *(c for c in policy.categories if c.id != "contact"))
    )
    facts = RecordFacts("shop", "customer", flags=frozenset({"instalments"}))

    verdict = decide(facts, profile, [], ON, ground=ErasureGround.MARKETING_OBJECTION)

    assert verdict.decision is Decision.KEEP


# Holds


@pytest.mark.parametrize("lacking", ["reason", "owner", "review_on"])
def test_a_hold_for_a_legal_claim_needs_reason_owner_and_review(lacking: str) -> None:
    """AK-17: no blanket hold."""
    with pytest.raises(DomainError, match="legal claim needs"):
        StandingHold(
            "ticketing",
            "contact",
            "legal_claim",
            until=date(2028, 1, 1),
            reason=None if lacking == "reason" else WHY,
            owner="" if lacking == "owner" else "staff-7",
            review_on=None if lacking == "review_on" else date(2027, 5, 1),
        )


def test_a_hold_without_an_end_cannot_be_placed() -> None:
    with pytest.raises(DomainError, match="the day on which it ends"):
        StandingHold("ticketing", "contact", "no.bokforing.primary")


def test_a_useful_history_is_no_ground() -> None:
    """AK-06: it is not there to be chosen."""
    assert not [g for g in grounds() if "hist" in g.code or "useful" in g.code]
    with pytest.raises(DomainError, match="no ground for keeping"):
        StandingHold("ticketing", "contact", "history_is_useful", until=date(2030, 1, 1))


# Whatever comes


@st.composite
def cases(draw: st.DrawFn) -> tuple[Profile, RecordFacts, date, ErasureGround]:
    profile = POLICIES[draw(st.sampled_from(sorted(POLICIES)))]
    system = draw(st.sampled_from(profile.systems))
    kind = draw(st.sampled_from([*(h.kind for h in system.holdings), "something-new"]))
    days = st.dates(date(2015, 1, 1), date(2040, 12, 31))
    anchors = draw(st.dictionaries(st.sampled_from(sorted(ANCHORS)), days, max_size=5))
    flags = draw(st.frozensets(st.sampled_from(sorted(FLAGS)), max_size=5))
    year = draw(st.sampled_from([FiscalYear(), FiscalYear(6, 30), FiscalYear(2, 29)]))
    return (
        dataclasses.replace(profile, fiscal_year=year),
        RecordFacts(system.id, kind, anchors=anchors, flags=flags),
        draw(days),
        draw(st.sampled_from(ErasureGround)),
    )


@given(cases())
def test_every_record_gets_a_verdict_that_can_be_explained(
    case: tuple[Profile, RecordFacts, date, ErasureGround],
) -> None:
    profile, facts, on, asked = case

    verdict = decide(facts, profile, [], on, ground=asked)

    spoken = [verdict.explanation, *verdict.asks, *verdict.notices]
    spoken += [step.code for step in verdict.steps]
    assert all(say(code, language) for code in spoken for language in Language)
    if verdict.decision in {Decision.ERASE, Decision.ANONYMISE}:
        assert verdict.met
        assert not verdict.kept
        assert not verdict.asks


@given(cases())
def test_nothing_is_kept_past_its_day_nor_without_a_day_or_a_question(
    case: tuple[Profile, RecordFacts, date, ErasureGround],
) -> None:
    profile, facts, on, asked = case

    verdict = decide(facts, profile, [], on, ground=asked)

    assert all(kept.until is None or on <= kept.until for kept in verdict.kept)
    if verdict.decision is Decision.KEEP:
        assert verdict.until or verdict.asks
    if verdict.until:
        after = decide(facts, profile, [], verdict.until + timedelta(days=1), ground=asked)
        assert verdict.ground not in {kept.ground for kept in after.kept if kept.until}


@given(cases(), st.dates(date(2015, 1, 1), date(2040, 12, 31)))
def test_what_a_standing_hold_covers_is_never_erased(
    case: tuple[Profile, RecordFacts, date, ErasureGround], until: date
) -> None:
    profile, facts, on, asked = case
    category = category_of(profile, facts)
    held = StandingHold(
        facts.system, category, "legal_claim", until, date(2026, 12, 1), WHY, "staff-7"
    )

    verdict = decide(facts, profile, [held], on, ground=asked)

    if held.covers(facts, category, on) and category:
        assert verdict.decision in {Decision.KEEP, Decision.BLOCK_AND_REFER, Decision.REFER}
        assert not verdict.keep_fields  # the whole record


@given(cases())
def test_an_exception_that_the_promise_rules_out_is_never_applied_unasked(
    case: tuple[Profile, RecordFacts, date, ErasureGround],
) -> None:
    """X-02."""
    profile, facts, on, asked = case
    strict = dataclasses.replace(profile, allowed_exceptions=frozenset({"statutory"}))

    verdict: Verdict = decide(facts, strict, [], on, ground=asked)

    if any(ground(kept.ground).kind.value == "open-obligation" for kept in verdict.kept):
        assert "ask_person_to_give_up" in verdict.asks


@given(cases(), st.sampled_from(BodyType), st.sampled_from([None, True, False]), st.booleans())
def test_nothing_that_may_be_for_an_archive_goes_before_the_archive_has_it(
    case: tuple[Profile, RecordFacts, date, ErasureGround],
    body: BodyType,
    duty: bool | None,
    with_reason: bool,
) -> None:
    """E-05: silence holds; only a no with its reason, or the receipt, lets a record go."""
    profile, facts, on, asked = case
    reason = {Language.EN: "By the archive's own plan."} if with_reason else {}
    categories = tuple(
        dataclasses.replace(c, archive_duty=duty, archive_reason=reason) for c in profile.categories
    )
    profile = dataclasses.replace(profile, body_type=body, categories=categories)

    verdict = decide(facts, profile, [], on, ground=asked)

    if verdict.decision in {Decision.ERASE, Decision.ANONYMISE} or verdict.keep_fields:
        assert (
            body is BodyType.COMPANY
            or (duty is False and with_reason)
            or "handed_to_archive" in facts.flags
        )


def test_every_sentence_can_be_said_in_every_language() -> None:
    for table in ("explanations", "questions", "steps"):
        assert all(say(code, language) for code in codes(table) for language in Language)
    for each in grounds():
        assert set(each.text) == set(each.open_ended) == set(Language)
        assert all("{until}" in each.text[language] for language in Language)


def test_the_sentences_for_letters_stay_short() -> None:
    """E-07: no sentence over 25 words."""
    sentences = [
        sentence
        for each in grounds()
        for text in (each.text, each.open_ended)
        for words in text.values()
        for sentence in words.split(". ")
    ]

    assert max(len(sentence.split()) for sentence in sentences) <= 25
