"""A profile is read from TOML, and whatever is wrong with it is said with file, key and reason."""

from __future__ import annotations

import dataclasses
import re
from hashlib import sha256
from pathlib import Path

import pytest

from adapters.outbound import connectors
from adapters.profiles import ProfileError, load_profile, shipped_profiles
from domain.policy import BodyType, Profile, Sector, Told
from domain.vocabulary import Country, Language, Right, Role
from tests.support.policies import POLICIES

ROOT = Path(__file__).parents[2]

SMALL = """
id = "lykt"
version = "1"
country = "NO"
language = "nb"
body_type = "company"
rights = ["access", "erasure"]
recipients = []
observations = []

[controller]
names = ["Lykt AS"]

[[channels]]
kind = "email"
address = "post@lykt.example"

[[purposes]]
id = "orders"
name = { nb = "Bestillinger", en = "Orders" }
bases = ["contract"]

[[categories]]
id = "contact"
name = { nb = "Navn", en = "Name" }
purposes = ["orders"]
source = { nb = "Fra deg", en = "From you" }
retention = { period = { months = 36 }, anchors = ["last_purchase"] }

[[systems]]
id = "shop"
name = "Butikk"
role = "internal"
delivery = "person"
connector = "manual"

[[systems.holdings]]
kind = "customer"
category = "contact"
"""


def test_a_small_profile_is_all_it_takes() -> None:
    profile = load_profile(SMALL.encode(), name="lykt.toml")

    assert profile.controller.name == "Lykt AS"
    assert profile.country is Country.NO
    assert profile.rights == {Right.ACCESS, Right.ERASURE}
    assert profile.category("contact").retention.anchors == ("last_purchase",)
    assert profile.promise_days is None


def test_the_digest_is_of_the_bytes_as_they_are() -> None:
    """AK-27: a version is told from any other."""
    content = SMALL.encode()

    assert load_profile(content).digest == sha256(content).hexdigest()
    assert load_profile(content + b"\n").digest != load_profile(content).digest


def test_the_controller_decides_from_which_age_a_young_person_gets_the_answer() -> None:
    """E-08: fifteen unless the controller has decided otherwise, on a day that it names."""
    assert load_profile(SMALL.encode()).own_answer_age == 15
    decided = 'id = "lykt"\nown_answer_age = 13\nown_answer_decided_on = 2026-11-01'
    assert load_profile(SMALL.replace('id = "lykt"', decided).encode()).own_answer_age == 13


def test_a_loaded_profile_cannot_be_changed() -> None:
    profile = load_profile(SMALL.encode())

    with pytest.raises(dataclasses.FrozenInstanceError):
        profile.version = "2"  # type: ignore[misc]


MALFORMED = [
    ('body_type = "company"', 'body_type = "firma"', "body_type", "must be one of 'company'"),
    ('country = "NO"', 'country = "DK"', "country", "must be one of 'NO' or 'SE'"),
    ('version = "1"', "version = 1", "version", "valid string"),
    ('id = "lykt"', "", "id", "is missing"),
    ('id = "lykt"', 'id = "Lykt AS"', "id", "small letters"),
    ('id = "shop"', 'id = "the_shop"', "systems[0].id", "small letters"),
    ('id = "lykt"', 'id = "lykt"\ncolour = "red"', "colour", "is not a key"),
    ('id = "lykt"', 'id = "lykt"\ndigest = "0"', "digest", "leave it out"),
    ('id = "lykt"', 'id = "lykt"\npromise_days = "30"', "promise_days", "valid integer"),
    ('id = "lykt"', 'id = "lykt"\npromise_days = 0', "promise_days", "must be 1 to 365"),
    (
        'id = "lykt"',
        'id = "lykt"\nown_answer_age = 13',
        "own_answer_decided_on",
        "say when the other age was decided",
    ),
    (
        'connector = "manual"',
        'connector = "manual"\nbackups_kept_days = 0',
        "systems[0].backups_kept_days",
        "must be 1 to 3650",
    ),
    ('id = "lykt"', 'id = "lykt"\ncontent_days = 29', "content_days", "must be 30 to 365"),
    (
        'id = "lykt"',
        'id = "lykt"\naccessibility_statement = "javascript:alert(1)"',
        "accessibility_statement",
        "begins with https://",
    ),
    (
        'id = "lykt"',
        'id = "lykt"\nallowed_exceptions = ["history"]',
        "allowed_exceptions",
        "'history' is no exception that law knows",
    ),
    (
        'id = "lykt"',
        'id = "lykt"\nfiscal_year = { end_month = 6, end_day = 31 }',
        "fiscal_year",
        "a day that exists",
    ),
    (
        'id = "lykt"',
        'id = "lykt"\npolicy_updated_on = 2018-05-23T10:00:00Z',
        "policy_updated_on",
        "write a plain day",
    ),
    ('rights = ["access", "erasure"]', 'rights = ["acess"]', "rights[0]", "must be one of"),
    ('names = ["Lykt AS"]', "names = []", "controller.names", "at least one name"),
    ("post@lykt.example", "post at lykt", "channels[0].address", "one e-mail address"),
    ("post@lykt.example", "post@lykt", "channels[0].address", "one e-mail address"),
    ('bases = ["contract"]', 'bases = ["habit"]', "purposes[0].bases[0]", "must be one of"),
    ('purposes = ["orders"]', 'purposes = ["sales"]', "categories[0].purposes", "is no purpose"),
    ('purposes = ["orders"]', "purposes = []", "categories[0].purposes", "at least one purpose"),
    (
        '["last_purchase"]',
        '["last_purchas"]',
        "categories[0].retention.anchors",
        "did you mean 'last_purchase'?",
    ),
    ("months = 36", "months = 0", "categories[0].retention.period.months", "1 or more"),
    ('nb = "Navn"', 'sv = "Namn"', "categories[0].name", "lacks the profile's own language, nb"),
    ('nb = "Navn"', 'de = "Name"', "categories[0].name.de", "must be one of"),
    (
        'connector = "manual"',
        'connector = "fax"',
        "systems[0].connector",
        "there are: brevo, csv, ",
    ),
    ('delivery = "person"', 'delivery = "file"', "systems[0].delivery", "must be 'person'"),
    ('role = "internal"', 'role = "friend"', "systems[0].role", "must be one of"),
    ('category = "contact"', 'category = "contacts"', "systems[0].holdings[0].category", "contact"),
    (
        'category = "contact"',
        'category = "contact"\nvoucher = "yes"',
        "systems[0].holdings[0].voucher",
        "valid boolean",
    ),
    (
        'category = "contact"',
        'category = "contact"\nvoucher_if = ["paid"]',
        "systems[0].holdings[0].voucher",
        "must be true",
    ),
    (
        'category = "contact"',
        'category = "contact"\nneeded = { open_tickets = ["name"] }',
        "systems[0].holdings[0].needed",
        "did you mean 'open_ticket'?",
    ),
    ('version = "1"', 'version = "1', "", "is not TOML"),
]


@pytest.mark.parametrize(("old", "new", "key", "reason"), MALFORMED)
def test_what_is_wrong_is_refused_with_file_key_and_reason(
    old: str, new: str, key: str, reason: str
) -> None:
    assert old in SMALL

    with pytest.raises(ProfileError) as refused:
        load_profile(SMALL.replace(old, new, 1).encode(), name="lykt.toml")

    lines = str(refused.value).splitlines()
    start = f"lykt.toml: {key}: " if key else "lykt.toml: "
    assert [line for line in lines if line.startswith(start) and reason in line], lines


def test_several_mistakes_are_told_at_once() -> None:
    broken = SMALL.replace('"orders"]', '"sales"]').replace('"manual"', '"fax"')

    with pytest.raises(ProfileError) as refused:
        load_profile(broken.encode(), name="lykt.toml")

    assert len(str(refused.value).splitlines()) == 2
    assert [problem.key for problem in refused.value.problems] == [
        "categories[0].purposes",
        "systems[0].connector",
    ]


def test_an_id_used_twice_is_refused() -> None:
    twice = SMALL + '\n[[purposes]]\nid = "orders"\nname = { nb = "Igjen" }\nbases = []\n'

    with pytest.raises(ProfileError, match="purposes: has 'orders' 2 times"):
        load_profile(twice.encode())


def test_a_category_that_no_system_holds_is_refused() -> None:
    """AK-18, AO-11, GK-11, B.1 row 30: a category without a system."""
    more = SMALL.replace(
        "[[systems]]",
        '[[categories]]\nid = "login"\nname = { nb = "Innlogging" }\npurposes = ["orders"]\n'
        'source = { nb = "Fra deg" }\nretention = {}\n\n[[systems]]',
    )

    with pytest.raises(ProfileError, match=r"categories\[1\]: 'login' is held by no system"):
        load_profile(more.encode())


def test_a_file_that_is_not_there_or_not_text_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"^none\.toml: cannot be read: No such file"):
        load_profile(tmp_path / "none.toml")
    with pytest.raises(ProfileError, match="is not UTF-8 from byte 4 on"):
        load_profile(b"id=\x22\xe5\x22", name="latin.toml")


# The shipped five


def test_five_profiles_are_shipped_and_load() -> None:
    assert len(shipped_profiles()) == 5
    for name, path in shipped_profiles().items():
        assert load_profile(path).id == name


@pytest.mark.parametrize("profile", POLICIES.values(), ids=POLICIES)
def test_a_shipped_profile_speaks_its_own_language_and_english(profile: Profile) -> None:
    texts = [
        *(text for p in profile.purposes for text in (p.name,)),
        *(text for c in profile.categories for text in (c.name, c.source, c.retention_text)),
        *(r.words for r in profile.recipients),
        *(s.look_for for s in profile.systems if s.connector == "manual"),
        profile.profiling,
    ]

    assert all({profile.language, Language.EN} <= set(text) for text in texts)


@pytest.mark.parametrize("short", ["GK", "MU"])
def test_the_two_that_go_end_to_end_speak_four_languages(short: str) -> None:
    for category in POLICIES[short].categories:
        assert set(category.name) == set(category.source) == set(Language)
    for recipient in POLICIES[short].recipients:
        assert set(recipient.words) == set(Language)


@pytest.mark.parametrize("profile", POLICIES.values(), ids=POLICIES)
def test_every_quote_has_its_line_and_day(profile: Profile) -> None:
    """A finding must be checkable against the text that was read."""
    assert profile.observations
    for observation in profile.observations:
        assert observation.quote.strip() == observation.quote
        assert observation.read_on.year == 2026


@pytest.mark.parametrize("profile", POLICIES.values(), ids=POLICIES)
def test_a_mapped_export_is_one_that_its_connector_understands(
    profile: Profile, tmp_path: Path
) -> None:
    for system in profile.systems:
        if system.connector == "csv":
            connectors.build("csv", {**system.options, "folder": str(tmp_path)})
            kinds = {holding.kind for holding in system.holdings}
            assert set(re.split(r"[,\s]+", system.options["kind"])) == kinds
            mapped = {key.rpartition("column.")[2] for key in system.options if "column." in key}
            for holding in system.holdings:
                assert set(holding.voucher_fields) <= mapped
                assert {field for fields in holding.needed.values() for field in fields} <= mapped


def test_whatever_the_ticket_shop_holds_is_mapped() -> None:
    kinds = {"customer", "order", "ticket", "invoice", "membership", "medium", "giftcard"}
    for profile in POLICIES.values():
        for system in profile.systems:
            if system.connector == "pretix":
                assert kinds | {"waiting_list"} <= {holding.kind for holding in system.holdings}


def test_payment_parties_are_informed_or_referred_never_erased() -> None:
    """E-11, MU-17, MU-18."""
    recipients = {r.id: r for r in POLICIES["MU"].recipients}

    assert recipients["klarna"].told is Told.INFORMED
    assert recipients["klarna"].permission_needed
    assert recipients["swish"].told is Told.REFERRED
    assert recipients["organisers"].per_record
    for profile in POLICIES.values():
        for recipient in profile.recipients:
            words = " ".join(recipient.words.values()).casefold()
            assert not re.search(r"\b(?:er slettet|er sletta|har raderats|been erased)\b", words)


def test_who_gets_counts_of_visitors_is_named_and_told_nothing() -> None:
    """MU-20: counts are about nobody; should identifiers be sent, the party is on the list."""
    counter = next(r for r in POLICIES["MU"].recipients if r.sector is Sector.ADVERTISING)

    assert counter.told is Told.NOTHING
    assert counter.words[Language.SV]


def test_every_sort_of_system_that_the_five_need_can_be_named() -> None:
    """X-06, OK-10, MU-08: a class of connector for each, and a person where no connector is."""
    needed = {
        *("ticketing", "subscription", "mailing", "sms", "print", "payment", "bank"),
        *("organiser", "ticket-agent", "logistics", "customer-service", "web", "adviser"),
        "archive",
    }
    assert needed <= {sector.value for sector in Sector}

    for sector in sorted(needed):
        line = f'connector = "manual"\nsector = "{sector}"'
        profile = load_profile(SMALL.replace('connector = "manual"', line).encode())
        assert [system.sector.value for system in profile.systems] == [sector]


def test_public_bodies_are_three_of_five() -> None:
    """E-05, B.5 row public-companies."""
    bodies = {short: profile.body_type for short, profile in POLICIES.items()}

    assert bodies == {
        "AK": BodyType.TO_BE_DECIDED,
        "AO": BodyType.COMPANY,
        "GK": BodyType.PUBLIC_BODY,
        "MU": BodyType.COMPANY,
        "OK": BodyType.PUBLIC_COMPANY,
    }


def test_a_policy_with_three_sorts_of_cookies_names_them_in_its_answers() -> None:
    """AK-26: necessary, functional and analytical, as the category is called in the answer."""
    name = POLICIES["AK"].category("usage").name

    assert {"necessary", "functional", "analytical"} <= set(re.findall(r"\w+", name[Language.EN]))
    assert {"nødvendige", "funksjonelle", "analytiske"} <= set(
        re.findall(r"\w+", name[Language.NB])
    )


def test_the_categories_are_those_that_each_policy_names() -> None:
    """AK-18, GK-11, GK-15, OK-08, MU-03, AO-11: none of them is left out."""
    named = {short: {category.id for category in p.categories} for short, p in POLICIES.items()}

    assert named == {
        "AK": {*_ALL, "purchases", "login", "newsletter", "usage"},
        "GK": {"profile", "purchases", "payments", "communication", "usage", "profiling"}
        | {"newsletter"},
        "OK": {"contact", "orders", "newsletter", "communication"},
        "MU": {*_ALL, "orders", "national-number", "device", "cookies"},
        "AO": {*_ALL, "national-number", "account", "usage", "purchases", "newsletter"},
    }


_ALL = ("contact", "payments", "communication")


def test_only_promises_that_were_made_are_there() -> None:
    """AK-03, GK-03, MU-01."""
    promised = {short: profile.promise_days for short, profile in POLICIES.items()}

    assert promised == {"AK": None, "AO": None, "GK": 30, "MU": None, "OK": None}
    assert POLICIES["MU"].promise_text == "så snart som möjligt"


@pytest.mark.parametrize("profile", POLICIES.values(), ids=POLICIES)
def test_no_mailbox_or_quote_names_a_person(profile: Profile) -> None:
    """E-01: role addresses only."""
    text = " ".join(
        [*(c.address for c in profile.channels), *(o.quote for o in profile.observations)]
    )
    boxes = re.findall(r"([\w.-]+)@", f"{text} {profile.officer_contact} {profile.sender}")

    assert set(boxes) <= {"postmottak", "post", "kontakt", "support"}


@pytest.mark.parametrize("short", ["GK", "MU", "OK"])
def test_who_decides_alone_is_referred_to(short: str) -> None:
    independent = [
        system for system in POLICIES[short].systems if system.role is Role.INDEPENDENT_CONTROLLER
    ]

    assert [system.id for system in independent] == (["ticket-agents"] if short == "OK" else [])


def test_no_source_file_names_an_organisation_of_the_profiles() -> None:
    """E-01."""
    names = {
        name.casefold()
        for profile in POLICIES.values()
        for name in (*profile.controller.names, profile.controller.trade_name, profile.website)
        if name
    }
    names |= {name.removeprefix("www.").rpartition(".")[0] for name in names if "." in name}
    sources = [
        path
        for folder in ("domain", "services", "projections", "adapters", "tests", "deploy")
        for path in (ROOT / folder).rglob("*.py")
    ]

    assert len(names) > 5
    assert len(sources) > 30
    guilty = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources
        for name in names
        if name and name in path.read_text(encoding="utf-8").casefold()
    ]
    assert guilty == []
