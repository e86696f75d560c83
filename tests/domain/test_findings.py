"""What a careful reader asks about a profile; the five shipped ones raise exactly these (X-01)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from domain.findings import check, codes
from domain.policy import BodyType, LegalBasis, Observation, Period, Profile
from domain.vocabulary import Language, Right, Role, Severity
from tests.support.policies import POLICIES

ON = date(2026, 11, 22)

EXPECTED = {
    "AK": {
        "controller_ambiguous",
        "unresolved_placeholders",
        "legal_basis_missing",
        "payment_recipient_missing",
        "deadline_missing",
        "restriction_missing",
        "objection_missing",
        "archive_duty",
        "silent_about_archive",
    },
    "GK": {
        "authority_missing",
        "incoherent_transfer_statement",
        "legitimate_interest_public_body",
        "marketing_basis_conflict",
        "retention_period_missing",
        "archive_duty",
        "silent_about_archive",
        "complaint_asks_contact_first",
        "dual_basis",
        "payment_recipient_missing",
    },
    "OK": {
        "channel_missing",
        "authority_missing",
        "deadline_missing",
        "basis_conflict",
        "statutory_hold_not_disclosed",
        "cookie_claim",
        "stale_policy",
        "archive_duty",
        "silent_about_archive",
        "restriction_missing",
        "objection_missing",
        "portability_missing",
        "withdrawal_missing",
        "processor_agreement_missing",
    },
    "MU": {
        "contact_domain_typo",
        "access_right_missing",
        "authority_missing",
        "retention_anchor_undefined",
        "personnummer_gate",
        "cookie_contradiction",
        "legal_basis_missing",
        "restriction_missing",
        "objection_missing",
        "portability_missing",
        "processor_agreement_missing",
    },
    "AO": {
        "form_requirement_conflicts_art12",
        "authority_outdated",
        "processor_role_doubtful",
        "dual_basis",
        "deadline_missing",
        "restriction_missing",
        "objection_missing",
        "portability_missing",
    },
}


def found(profile: Profile, on: date = ON) -> set[str]:
    return {finding.code for finding in check(profile, on)}


@pytest.mark.parametrize("short", sorted(EXPECTED))
def test_each_policy_raises_exactly_its_findings(short: str) -> None:
    """X-01, B.1 row 13, GK-10, GK-16, GK-25, OK-02, OK-13, OK-14, MU-01, MU-06, MU-11, MU-21,
    AO-03, AO-15, AO-17, AK-21, B.5 row authority."""
    assert found(POLICIES[short]) == EXPECTED[short]


QUOTED = {
    ("AK", "unresolved_placeholders", 1, "{{content.mainBlock.title}}"),
    ("AK", "payment_recipient_missing", 43, "betalingshistorikk"),
    ("GK", "incoherent_transfer_statement", 55, "utenfor EØS, men innenfor EU"),
    ("GK", "legitimate_interest_public_body", 45, "vår berettigede interesse"),
    ("GK", "marketing_basis_conflict", 43, "dersom du har meldt deg på"),
    ("GK", "retention_period_missing", 61, "så lenge det er nødvendig"),
    ("OK", "basis_conflict", 8, "enbart in med samtycke"),
    ("OK", "cookie_claim", 10, "kan kopplas till några personuppgifter"),
    ("OK", "stale_policy", 41, "2018-05-23"),
    ("OK", "statutory_hold_not_disclosed", 21, "enbart så länge"),
    ("MU", "contact_domain_typo", 87, "så återkommer vi"),
    ("MU", "retention_anchor_undefined", 43, "efter 18 månader"),
    ("MU", "personnummer_gate", 35, "Personnummer krävs"),
    ("MU", "cookie_contradiction", 53, "anonymt klick"),
    ("AO", "form_requirement_conflicts_art12", 55, "skriftlig ansökan"),
    ("AO", "authority_outdated", 71, "Datainspektionen"),
    ("AO", "processor_role_doubtful", 40, "bank- och kreditkortsföretag"),
    ("AO", "dual_basis", 47, "din tillåtelse"),
}


@pytest.mark.parametrize(("short", "code", "line", "words"), sorted(QUOTED))
def test_a_finding_shows_the_words_it_rests_on(
    short: str, code: str, line: int, words: str
) -> None:
    quoted = [(f.line, f.quote or "") for f in check(POLICIES[short], ON) if f.code == code]

    assert any(number == line and words in quote for number, quote in quoted)


def test_consent_or_an_order_is_not_consent_alone() -> None:
    """OK-07: the first sentence rules the order out, the second names it."""
    conflicts = [f.line for f in check(POLICIES["OK"], ON) if f.code == "basis_conflict"]

    assert conflicts == [8]
    either = says("legal-basis", "Enbart med samtycke eller enligt avtal.")(POLICIES["AO"])
    assert "basis_conflict" not in found(either)


def test_every_finding_asks_in_three_languages() -> None:
    """E-01: questions to the controller, not verdicts."""
    for profile in POLICIES.values():
        for finding in check(profile, ON):
            assert set(finding.question) == {Language.NB, Language.SV, Language.EN}
            assert all("?" in question for question in finding.question.values()), finding.code
            assert all("{" not in question for question in finding.question.values())


def test_two_names_for_one_controller_stop_letters_and_nothing_stops_loading() -> None:
    """AK-01."""
    gravest = {short: check(profile, ON)[0].severity for short, profile in POLICIES.items()}

    assert gravest["AK"] is Severity.BLOCK_LETTERS
    assert Severity.REFUSE_TO_LOAD not in gravest.values()


# A repaired profile loses just that finding; a broken one gains it


def says(topic: str, quote: str) -> Callable[[Profile], Profile]:
    heard = Observation(id=f"new-{topic}", topic=topic, quote=quote, line=1, read_on=ON)
    return lambda profile: dataclasses.replace(profile, observations=(*profile.observations, heard))


def without(*topics: str) -> Callable[[Profile], Profile]:
    return lambda profile: dataclasses.replace(
        profile, observations=tuple(o for o in profile.observations if o.topic not in topics)
    )


def rewritten(old: str, new: str) -> Callable[[Profile], Profile]:
    def change(profile: Profile) -> Profile:
        assert any(old in o.quote for o in profile.observations)
        return dataclasses.replace(
            profile,
            observations=tuple(
                dataclasses.replace(o, quote=o.quote.replace(old, new))
                for o in profile.observations
            ),
        )

    return change


def with_(**changes: Any) -> Callable[[Profile], Profile]:
    return lambda profile: dataclasses.replace(profile, **changes)


def also(*rights: Right) -> Callable[[Profile], Profile]:
    return lambda profile: dataclasses.replace(profile, rights=profile.rights | set(rights))


def decided(profile: Profile) -> Profile:
    identity = dataclasses.replace(profile.controller, names=profile.controller.names[:1])
    return dataclasses.replace(profile, controller=identity)


def one_basis(keep: LegalBasis) -> Callable[[Profile], Profile]:
    def change(profile: Profile) -> Profile:
        purposes = tuple(
            dataclasses.replace(p, bases=(keep,)) if len(p.bases) != 1 else p
            for p in profile.purposes
        )
        return dataclasses.replace(profile, purposes=purposes)

    return change


def contact(address: str) -> Callable[[Profile], Profile]:
    def change(profile: Profile) -> Profile:
        first = dataclasses.replace(profile.channels[0], address=address)
        return dataclasses.replace(profile, channels=(first, *profile.channels[1:]))

    return change


def banks_are(role: Role) -> Callable[[Profile], Profile]:
    def change(profile: Profile) -> Profile:
        recipients = tuple(
            dataclasses.replace(r, role=role) if r.id == "banks" else r for r in profile.recipients
        )
        return dataclasses.replace(profile, recipients=recipients)

    return change


def agreed(profile: Profile) -> Profile:
    systems = tuple(dataclasses.replace(s, agreement="agreement 7") for s in profile.systems)
    return dataclasses.replace(profile, systems=systems)


def three_years(profile: Profile) -> Profile:
    categories = tuple(
        dataclasses.replace(
            c,
            retention=dataclasses.replace(
                c.retention, period=Period(36), anchors=("last_purchase",)
            ),
        )
        for c in profile.categories
    )
    return dataclasses.replace(profile, categories=categories)


def none_for_the_archive(profile: Profile) -> Profile:
    """Somebody said of every category that it is none for the archive, and why."""
    categories = tuple(
        dataclasses.replace(c, archive_duty=False, archive_reason={Language.EN: "Plan 7."})
        for c in profile.categories
    )
    return dataclasses.replace(profile, categories=categories)


REPAIRS: list[tuple[str, str, Callable[[Profile], Profile]]] = [
    ("AK", "controller_ambiguous", decided),
    ("AK", "unresolved_placeholders", without("page")),
    ("AK", "legal_basis_missing", one_basis(LegalBasis.CONTRACT)),
    ("AK", "payment_recipient_missing", says("recipient-payment", "Kortselskapet får beløpet.")),
    ("AK", "deadline_missing", with_(promise_days=30)),
    ("AK", "restriction_missing", also(Right.RESTRICTION)),
    ("AK", "objection_missing", also(Right.OBJECTION)),
    ("AK", "silent_about_archive", none_for_the_archive),
    ("GK", "silent_about_archive", none_for_the_archive),
    ("OK", "silent_about_archive", none_for_the_archive),
    ("GK", "authority_missing", says("authority", "Du kan klage til Datatilsynet.")),
    ("GK", "incoherent_transfer_statement", rewritten(", men innenfor EU", "")),
    ("GK", "complaint_asks_contact_first", rewritten("Ta da først", "Ta da gjerne")),
    ("GK", "dual_basis", one_basis(LegalBasis.CONTRACT)),
    ("GK", "retention_period_missing", three_years),
    ("GK", "marketing_basis_conflict", without("marketing")),
    ("OK", "channel_missing", with_(channels=POLICIES["AO"].channels)),
    ("OK", "authority_missing", says("authority", "Klaga hos IMY.")),
    ("OK", "deadline_missing", with_(promise_text="inom en månad")),
    ("OK", "basis_conflict", rewritten("enbart in med samtycke", "in med samtycke")),
    ("OK", "statutory_hold_not_disclosed", says("statutory-retention", "Bokföring sparas.")),
    ("OK", "cookie_claim", without("cookies")),
    ("OK", "stale_policy", with_(policy_updated_on=date(2025, 1, 1))),
    ("OK", "withdrawal_missing", also(Right.WITHDRAWAL)),
    ("OK", "portability_missing", also(Right.PORTABILITY)),
    ("OK", "processor_agreement_missing", agreed),
    ("MU", "contact_domain_typo", contact(f"kontakt@{POLICIES['MU'].website}")),
    ("MU", "access_right_missing", also(Right.ACCESS)),
    ("MU", "retention_anchor_undefined", rewritten("18 månader", "18 månader från köpet,")),
    ("MU", "personnummer_gate", rewritten("Personnummer krävs", "Personnummer är frivilligt")),
    ("MU", "cookie_contradiction", rewritten("ett anonymt klick", "ett klick")),
    ("MU", "legal_basis_missing", one_basis(LegalBasis.CONTRACT)),
    ("AO", "form_requirement_conflicts_art12", rewritten("en skriftlig ansökan", "en ansökan")),
    ("AO", "authority_outdated", rewritten("Datainspektionen", "Integritetsskyddsmyndigheten")),
    ("AO", "processor_role_doubtful", banks_are(Role.INDEPENDENT_CONTROLLER)),
    ("AO", "dual_basis", one_basis(LegalBasis.CONTRACT)),
]


@pytest.mark.parametrize(
    ("short", "code", "repair"), REPAIRS, ids=[f"{short}-{code}" for short, code, _ in REPAIRS]
)
def test_a_repaired_profile_loses_just_that_finding(
    short: str, code: str, repair: Callable[[Profile], Profile]
) -> None:
    """X-01, AK-28, GK-20, B.1 row 26 and others: each by what repairs it."""
    assert found(repair(POLICIES[short])) == EXPECTED[short] - {code}


def outside_the_list(profile: Profile) -> Profile:
    systems = tuple(
        dataclasses.replace(s, role=Role.PROCESSOR, agreement="agreement 7")
        if s.id == "newsletter"
        else s
        for s in profile.systems
    )
    return dataclasses.replace(profile, systems=systems)


def second_voucher(profile: Profile) -> Profile:
    copy = next(s for s in profile.systems if any(h.voucher for h in s.holdings))
    return dataclasses.replace(
        profile, systems=(*profile.systems, dataclasses.replace(copy, id="copy"))
    )


def public_law(profile: Profile) -> Profile:
    return none_for_the_archive(dataclasses.replace(profile, body_type=BodyType.PUBLIC_BODY))


BREAKS: list[tuple[str, str, Callable[[Profile], Profile]]] = [
    ("AK", "recipient_not_in_policy", outside_the_list),
    ("AK", "voucher_held_twice", second_voucher),
    ("AK", "authority_missing", without("authority")),
    ("AK", "statutory_hold_not_disclosed", without("statutory-retention")),
    ("GK", "promise_exceeds_law", with_(promise_days=60)),
    ("GK", "consent_age_below_law", with_(policy_consent_age=12)),
    ("AO", "rectification_missing", with_(rights=POLICIES["AO"].rights - {Right.RECTIFICATION})),
    ("AO", "erasure_missing", with_(rights=POLICIES["AO"].rights - {Right.ERASURE})),
    ("AO", "archive_duty", public_law),
    ("AO", "stale_policy", with_(policy_updated_on=date(2023, 11, 21))),
    ("AO", "fee_for_access", says("fee", "En kopia kostar 200 kronor.")),
    ("AO", "frequency_limit", says("frequency", "Begär utdrag en gång per år.")),
    (
        "AO",
        "legitimate_interest_for_everything",
        says("legal-basis", "All behandling sker med stöd av berättigat intresse."),
    ),
    ("AO", "identity_document_always", says("identity-check", "Du måste skicka en kopia av pass.")),
    ("AO", "consent_by_use", says("consent", "By using the site you consent.")),
    ("AO", "refusal_ground_unknown_to_law", says("refusal", "Vi kan neka otydliga krav.")),
    ("AO", "retention_without_end", says("retention", "Uppgifterna sparas tills vidare.")),
    ("AO", "officer_decides", says("officer", "Dataskyddsombudet beslutar.")),
    ("AO", "clock_starts_late", says("clock", "Tiden löper först när vi har bekräftat.")),
    ("AO", "withdrawal_harder_than_consent", says("withdrawal", "Återkalla med brev.")),
    ("AO", "complaint_excluded", says("appeal", "Beslutet är slutgiltigt.")),
    ("AO", "transfer_without_safeguards", says("transfers", "Uppgifter förs över till USA.")),
]


@pytest.mark.parametrize(
    ("short", "code", "break_"), BREAKS, ids=[f"{short}-{code}" for short, code, _ in BREAKS]
)
def test_a_broken_profile_gains_just_that_finding(
    short: str, code: str, break_: Callable[[Profile], Profile]
) -> None:
    """AK-24, OK-12: a recipient outside the closed list, and others."""
    assert found(break_(POLICIES[short])) == EXPECTED[short] | {code}


def test_every_finding_there_is_has_been_raised_or_provoked() -> None:
    provoked = {code for expected in EXPECTED.values() for code in expected}
    provoked |= {code for _, code, _ in BREAKS}

    assert provoked == set(codes())


def vouchers_elsewhere(profile: Profile) -> Profile:
    systems = tuple(
        dataclasses.replace(
            s, holdings=tuple(dataclasses.replace(h, voucher=False) for h in s.holdings)
        )
        for s in profile.systems
    )
    return without("statutory-retention")(dataclasses.replace(profile, systems=systems))


def chosen(profile: Profile) -> Profile:
    return dataclasses.replace(
        profile, controller=dataclasses.replace(profile.controller, decided=True)
    )


@pytest.mark.parametrize(
    ("short", "code", "fine"),
    [
        ("AK", "statutory_hold_not_disclosed", vouchers_elsewhere),
        ("AK", "controller_ambiguous", chosen),
        (
            "AO",
            "authority_outdated",
            rewritten("Datainspektionen", "IMY, tidigare Datainspektionen"),
        ),
    ],
)
def test_what_is_in_order_is_not_asked_about(
    short: str, code: str, fine: Callable[[Profile], Profile]
) -> None:
    assert code not in found(fine(POLICIES[short]))


def test_a_policy_grows_stale_on_the_day_after_three_years() -> None:
    """OK-17."""
    profile = dataclasses.replace(POLICIES["AO"], policy_updated_on=date(2023, 11, 22))

    assert "stale_policy" not in found(profile, date(2026, 11, 22))
    assert "stale_policy" in found(profile, date(2026, 11, 23))


def test_a_public_profile_is_asked_about_each_category_it_says_nothing_of() -> None:
    """E-05: that something is none for the archive takes a reason; a company is not asked."""
    kino = POLICIES["AK"]
    said_nothing = [f.what for f in check(kino, ON) if f.code == "silent_about_archive"]
    assert said_nothing == ["contact, purchases, payments, login"]

    without_reason = dataclasses.replace(
        kino,
        categories=tuple(
            dataclasses.replace(c, archive_duty=False, archive_reason={}) for c in kino.categories
        ),
    )
    (asked_of,) = (f.what for f in check(without_reason, ON) if f.code == "silent_about_archive")
    assert asked_of.split(", ") == [c.id for c in kino.categories]

    company = dataclasses.replace(kino, body_type=BodyType.COMPANY)
    assert found(company) == EXPECTED["AK"] - {"archive_duty", "silent_about_archive"}


@pytest.mark.parametrize(("age", "below"), [(12, True), (13, False), (15, False), (None, False)])
def test_a_consent_age_below_the_laws_is_asked_about(age: int | None, below: bool) -> None:
    """B.1 row 8, B.4 row child, B.5 row act, GK-26: thirteen in both countries."""
    profile = dataclasses.replace(POLICIES["GK"], policy_consent_age=age)

    assert ("consent_age_below_law" in found(profile)) is below


def test_a_public_body_may_rest_on_a_public_task() -> None:
    """GK-16: the finding is about legitimate interest, not about being public."""
    purposes = tuple(
        dataclasses.replace(p, bases=(LegalBasis.PUBLIC_TASK,)) for p in POLICIES["GK"].purposes
    )
    profile = dataclasses.replace(POLICIES["GK"], purposes=purposes)

    assert found(profile) == EXPECTED["GK"] - {
        "legitimate_interest_public_body",
        "marketing_basis_conflict",
        "dual_basis",
    }


@pytest.mark.parametrize(
    "sentence",
    [
        "Vi använder leverantörer inom EU men utanför EES.",
        "We use suppliers outside the EEA, but inside the EU.",
        "Vi bruker leverandører utenfor EØS, men innenfor EU.",
    ],
)
def test_an_impossible_place_is_noticed_in_any_language(sentence: str) -> None:
    """GK-22."""
    assert "incoherent_transfer_statement" in found(says("transfers", sentence)(POLICIES["AO"]))


@pytest.mark.parametrize(
    "sentence",
    [
        "Opplysningene overføres til og prosesseres av leverandøren utenfor EØS/EU.",
        "We use suppliers outside the EEA. Data inside the EU stays there.",
        "Opplysningene behandles utenfor EØS/EU av en leverandør innenfor EU.",
        "Vi använder leverantörer inom EU och EES.",
    ],
)
def test_a_possible_place_is_not_noticed(sentence: str) -> None:
    assert "incoherent_transfer_statement" not in found(says("transfers", sentence)(POLICIES["AO"]))
