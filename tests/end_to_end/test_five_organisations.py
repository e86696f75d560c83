"""The five shipped profiles, each with a story of its own from a mail to closed (law.md part A)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest

from adapters.demo.doubles.mailchimp import MailchimpDouble
from adapters.demo.doubles.pretix import PretixDouble
from adapters.demo.doubles.stripe import StripeDouble
from adapters.profiles import shipped_profiles
from domain.errors import DomainError
from domain.policy import Profile
from domain.vocabulary import Compartment, Right
from services.ports import Erased
from tests.support.deadline_oracle import expected
from tests.support.policies import POLICIES
from tests.support.reminder_oracle import local_day
from tests.support.stage import Secrets, decide, open_stage
from tests.support.stories import HANDLER, Story, raw_mail, request_id

KARI, ADDRESS = "Kari Testesen", "kari.testesen@person.example"
STRANGER = "frida.fremmed@other.example"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEAR = datetime.now(UTC).year


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Story]]:
    """Open an installation for one organisation; nothing about its profile is decided yet."""
    with ExitStack() as stack:

        def opened(profile: Profile, secrets: Secrets | None = None) -> Story:
            path = shipped_profiles()[profile.id]
            stage = open_stage(database_url, tmp_path / "home", {profile.id: path}, secrets or {})
            return stack.enter_context(stage)

        yield opened


def writes(story: Story, profile: Profile, text: str, subject: str = "Personvern") -> Any:
    """A mail to the organisation's own address, if it has published any."""
    to = next((c.address for c in profile.channels if "@" in c.address), "post@mottak.example")
    mail = raw_mail(text, sender=ADDRESS, name=KARI, to=to, subject=subject, arrived=story.moment())
    return story.arrives(mail, profile.id)


def drop(story: Story, profile: Profile, system: str, **files: str) -> None:
    """Exports are dropped, written an hour ago by the story's clock."""
    folder = story.installation.settings.exports / profile.id / system
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        export = folder / f"{name}.csv"
        export.write_text(content, encoding="utf-8")
        at = (story.moment() - HOUR).timestamp()
        os.utime(export, (at, at))


def ask_again(story: Story, request: str, *systems: str) -> None:
    for system in systems:
        story.post(f"/v1/requests/{request}/systems/{system}/again", expect=202)
    story.work()


def handed_to_archive(story: Story, request: str) -> None:
    """The archive confirms that it has every record that was found (E-05)."""
    records = [one.record_id for one in story.aggregate(request).own_records]
    story.installation.archiving.records_received(
        UUID(request), records, receipt="Receipt 26/18", by="anna"
    )


def standing(story: Story, request: str) -> dict[str, tuple[str, str | None]]:
    return {name: (one["status"], one["waits_for"]) for name, one in story.systems(request).items()}


def decided(story: Story, request: str) -> set[tuple[str, str, str | None, str | None]]:
    return {
        (one["category"], one["decision"], one["ground"], one["until"])
        for one in story.decisions(request)
    }


def said(letter: str) -> str:
    """A letter's text without its line breaks."""
    return " ".join(letter.split())


# AK: a cinema whose ticket system has no API, and whose policy names two controllers

ERASE_NB = "Hei\n\nJeg vil at dere sletter alle opplysninger dere har om meg.\n\nHilsen Kari"


def test_ak_a_cinema_erases_whatever_no_statute_keeps(opened: Callable[..., Story]) -> None:
    """AK-01 to AK-03, AK-06, AK-10, AK-13, AK-16, AK-24, X-01; a renamed column proves nothing."""
    profile = POLICIES["AK"]
    story = opened(profile)
    bought = date(YEAR - 1, 5, 10)
    customers = (
        f"E-post;Navn;Telefon;Adresse;Siste kjøp;Registrert\n{STRANGER};Frida Fremmed;;;{bought};\n"
    )
    purchases = (
        "E-post;Ordrenummer;Kjøpt;Beløp;Forestilling;Vist;Betalt\n"
        f"{STRANGER};A2;{bought};250;En film;{bought};ja\n"
        f"{ADDRESS};A1;{bought};250;En film;{bought};ja\n"
    )
    payments = f"E-post;Ordrenummer;Beløp;Betalingsmåte;Betalt\n{STRANGER};A2;250;Kort;{bought}\n"
    hers = f"{ADDRESS};{KARI};+4790000000;Oppdiktede vei 1;{bought};{YEAR - 1}-02-01\n"
    paid = f"{ADDRESS};A1;250;Kort;{bought}\n"
    drop(
        story,
        profile,
        "ticketing",
        kunder=customers + hers,
        kjøp=purchases,
        betalinger=payments + paid,
    )
    arrived = writes(story, profile, ERASE_NB)
    assert (arrived["rights"], arrived["language"]) == (["erasure"], "nb")

    # Nothing is confirmed before what the policy leaves open is decided, and no letter leaves
    # while it says two names: whose letter would it be?
    confirm = {"rights": ["erasure"], "language": "nb"}
    story.post(f"/v1/cases/{arrived['case_id']}/confirm", confirm, expect=409)
    controllers, name = story.installation.controllers, profile.id
    open_codes = ("archive_duty", "legal_basis_missing", "payment_recipient_missing")
    for code in open_codes:
        controllers.decide_finding(name, code=code, decision="decided", by="anna")
    with pytest.raises(DomainError, match="controller_ambiguous"):
        controllers.require_letters_allowed(name)
    assert decide(story.installation, name) == ("controller_ambiguous",)
    case = story.confirm(arrived)
    request = request_id(case, Right.ERASURE)
    shown = story.request(request)
    assert shown["promise_due"] is None
    assert shown["target_due"] == expected("NO", local_day(story.moment()), None)[3].isoformat()

    story.prove(case["case_id"], ADDRESS)
    story.look_by_hand(request)
    # Nobody knows yet whether archive law binds the cinema: nothing goes before the archive has it.
    assert {each[1:3] for each in decided(story, request)} == {("keep", "no.archive")}
    handed_to_archive(story, request)
    # Three years of relation are the cinema's wish; that history is useful is no reason to keep.
    assert decided(story, request) == {
        ("contact", "erase", None, None),
        ("payments", "erase", None, None),
        ("purchases", "keep", "no.bokforing.primary", f"{YEAR + 4}-12-31"),
    }
    story.approve(request, considered=True)
    assert standing(story, request)["ticketing"] == ("waiting-for-person", "erase-from-list")

    # Whoever exports with another header shows nothing; nor does the export of a quarter.
    story.pass_time(hours=2)
    drop(
        story,
        profile,
        "ticketing",
        kunder=customers.replace("E-post", "Epostadresse"),
        kjøp=purchases,
        betalinger=payments,
    )
    ask_again(story, request, "ticketing")
    assert standing(story, request)["ticketing"] == ("waiting-for-person", "refused")
    assert story.request(request)["answered_at"] is None
    drop(story, profile, "ticketing", kunder=customers, betalinger=payments)
    ask_again(story, request, "ticketing")
    assert standing(story, request)["ticketing"][0] == "waiting-for-person"
    drop(story, profile, "ticketing", kunder=customers, kjøp=purchases, betalinger=payments)
    ask_again(story, request, "ticketing")

    assert standing(story, request)["ticketing"][0] == "done"
    assert story.request(request)["status"] == "closed"
    letter = said(story.postbox.last(ADDRESS, "partial-refusal").text)
    for words in ("Datatilsynet", "bokføringsloven", f"31. desember {YEAR + 4}"):
        assert words in letter
    assert profile.controller.name in letter
    assert HANDLER in letter


# GK: a municipality that promised thirty days

ACCESS_NB = (
    "Hei\n\nJeg ber om innsyn og en kopi av alle opplysninger dere har om meg.\n\nHilsen Kari"
)
STOP_NB = "Hei\n\nJeg vil ikke ha mer reklame fra dere. Stopp all markedsføring til meg.\n\nKari"


def test_gk_a_municipality_answers_within_its_thirty_days(opened: Callable[..., Story]) -> None:
    """GK-02 to GK-04, GK-10, GK-12, GK-15, GK-17, GK-18; B.4: nothing goes before the archive."""
    profile = POLICIES["GK"]
    shop, cards, mailing = PretixDouble(), StripeDouble(), MailchimpDouble()
    now = datetime.now(UTC)
    shop.add_event(
        "revy",
        "Revy",
        starts=now - timedelta(days=90),
        ends=now - timedelta(days=90),
        products={"Billett": "390.00"},
    )
    for code, address, name in (("GKAAA", ADDRESS, KARI), ("GKBBB", STRANGER, "Frida Fremmed")):
        shop.add_order(
            "revy",
            code,
            address,
            bought_at=now - timedelta(days=99),
            buyer=name,
            tickets=[{"name": name, "email": address}],
        )
    customer = cards.add_customer(ADDRESS, name=KARI)
    cards.add_card(customer, last4="4242")
    mailing.add_audience("nytt", "Nyheitsbrev", FNAME="Fornavn")
    for address in (ADDRESS, STRANGER):
        mailing.add_member("nytt", address)
    with shop, cards, mailing:
        story = opened(
            profile,
            {
                (profile.id, "ticketing"): shop.configuration,
                (profile.id, "payment"): {"url": cards.url, "key": cards.key},
                (profile.id, "mailing"): {"url": mailing.url, "key": mailing.key},
            },
        )
        codes = decide(story.installation, profile.id)
        assert {"legitimate_interest_public_body", "retention_period_missing"} <= set(codes)
        _a_copy_of_everything(story, profile)
        _no_more_advertising(story, profile, mailing)


def _a_copy_of_everything(story: Story, profile: Profile) -> None:
    case = story.confirm(writes(story, profile, ACCESS_NB))
    request = request_id(case, Right.ACCESS)
    received = local_day(story.moment())
    shown = story.request(request)
    assert shown["promise_due"] == (received + timedelta(days=30)).isoformat()
    assert shown["target_due"] == expected("NO", received, 30)[3].isoformat()
    assert {one["status"] for one in story.get("/v1/requests")["items"]} == {"received"}
    story.prove(case["case_id"], ADDRESS)
    story.look_by_hand(request)
    story.approve(request)
    letter = said(story.postbox.last(ADDRESS, "answer").text)
    assert "Datatilsynet" in letter
    copy = _texts(story.fetch(ADDRESS))
    page = said(copy)
    for words in ("4242", "Mailchimp", "utenfor EØS", "antakelser om preferanser", "GKAAA"):
        assert words in page, words
    assert "Frida" not in page
    assert story.request(request)["status"] == "closed"

    # A public body destroys nothing before its archive has it.
    story.pass_time(days=45)
    story.work()
    assert story.aggregate(request).destroyed == frozenset()
    assert story.installation.answering.package(story.aggregate(request).id)


def _no_more_advertising(story: Story, profile: Profile, mailing: MailchimpDouble) -> None:
    """At once and without proof: nobody has to identify themselves to be left in peace."""
    before = [letter.kind for letter in story.postbox.to(ADDRESS)].count("identity-code")
    case = story.confirm(writes(story, profile, STOP_NB))
    request = request_id(case, Right.OBJECTION_TO_MARKETING)
    assert story.request(request)["status"] == "closed"
    status = {one["email_address"]: one["status"] for one in mailing.members.values()}
    assert status == {ADDRESS: "unsubscribed", STRANGER: "subscribed"}
    assert [letter.kind for letter in story.postbox.to(ADDRESS)].count("identity-code") == before


# OK: a concert hall owned by the public, whose policy says neither where to write nor by when

BOTH_SV = (
    "Hej\n\nJag begär ett registerutdrag och sedan borttagning av mina personuppgifter från era"
    " register.\n\nHälsningar Kari"
)


def test_ok_a_concert_hall_gives_an_extract_and_then_removes(
    opened: Callable[..., Story],
) -> None:
    """OK-02, OK-03, OK-05, OK-06, OK-08, OK-10, OK-11, OK-13: extract first, then removal."""
    profile = POLICIES["OK"]
    story, now = opened(profile), datetime.now(UTC)
    # It has published no address; an operator says which one it is, and only then can it write.
    document = shipped_profiles()[profile.id].read_text(encoding="utf-8")
    assert "channels = []" in document
    document = document.replace(
        "channels = []", 'channels = [{ kind = "email", address = "mottak@konserthus.example" }]'
    )
    assert "channel_missing" in {
        finding.code for finding in story.installation.controllers.findings(profile.id, now.date())
    }
    story.installation.controllers.adopt(document.encode(), name=profile.id, by="anna")
    assert "channel_missing" not in decide(story.installation, profile.id)

    played = date(YEAR - 1, 5, 10)
    customers = "E-post;Namn;Telefon;Adress;Sista föreställning;Har biljett\n"
    orders = "E-post;Ordernummer;Köpt;Belopp;Föreställning;Spelas;Betald\n"
    orders += f"{ADDRESS};O1;{played};300;En konsert;{played};ja\n"
    subscribers = "E-post;Namn;Telefon;Adress;Gäller till;Aktivt\n"
    subscribers += f"{ADDRESS};{KARI};0701740605;Påhittade gatan 1;{YEAR + 1}-05-31;ja\n"
    news = "E-post;Lista;Samtycke;Avanmäld\n"
    drop(
        story,
        profile,
        "ticketing",
        kunder=f"{customers}{ADDRESS};{KARI};0701740605;Påhittade gatan 1;{played};\n",
        köp=orders,
    )
    drop(story, profile, "subscriptions", abonnemang=subscribers)
    drop(story, profile, "mailing", lista=f"{news}{ADDRESS};Nyheter;2024-01-01;\n")
    arrived = writes(story, profile, BOTH_SV)
    assert (set(arrived["rights"]), arrived["language"]) == ({"access", "erasure"}, "sv")
    case = story.confirm(arrived)
    access, erasure = (request_id(case, right) for right in (Right.ACCESS, Right.ERASURE))
    assert story.request(access)["promise_due"] is None
    story.prove(case["case_id"], ADDRESS)
    story.look_by_hand(access)
    assert story.systems(erasure) == {}, "what is gone cannot be copied"
    story.approve(access)
    page = said(_texts(story.fetch(ADDRESS)))
    for words in ("Påhittade gatan 1", "En konsert", "Nyheter", "Integritetsskyddsmyndigheten"):
        assert words in page, words

    story.look_by_hand(erasure)
    assert {each[:3] for each in decided(story, erasure)} == {
        ("contact", "block-and-refer", "se.archive"),
        ("orders", "block-and-refer", "se.archive"),
        ("newsletter", "erase", None),
    }
    handed_to_archive(story, erasure)
    assert decided(story, erasure) == {
        ("contact", "erase", None, None),
        ("contact", "keep", "contract.open_obligation", f"{YEAR + 1}-06-01"),
        ("newsletter", "erase", None, None),
        ("orders", "keep", "se.bokforing", f"{YEAR + 6}-12-31"),
    }
    story.approve(erasure, considered=True)
    story.pass_time(hours=2)
    drop(story, profile, "ticketing", kunder=customers, köp=orders)
    drop(story, profile, "subscriptions", abonnemang=subscribers)
    drop(story, profile, "mailing", lista=news)
    ask_again(story, erasure, "ticketing", "subscriptions", "mailing")
    assert story.request(erasure)["status"] == "closed"
    letter = said(story.postbox.last(ADDRESS, "partial-refusal").text)
    for words in (
        "Integritetsskyddsmyndigheten",
        "bokföringslagen",
        f"31 december {YEAR + 6}",
        *profile.controller.names,
    ):
        assert words in letter, words
    assert story.aggregate(erasure).archive_first


# MU: a seller of experiences whose policy forgets the right of access

ACCESS_SV = "Hej\n\nJag vill veta vilka personuppgifter ni har om mig.\n\nHälsningar Kari"


def test_mu_a_right_the_policy_forgot_is_served_all_the_same(
    opened: Callable[..., Story],
) -> None:
    """MU-01, MU-16, MU-18, MU-24, X-03: the law is the floor; who got the data is named."""
    profile = POLICIES["MU"]
    shop, cards = PretixDouble(currency="SEK"), StripeDouble()
    now = datetime.now(UTC)
    shop.add_event(
        "ballong",
        "Ballongfärd",
        starts=now - timedelta(days=60),
        ends=now - timedelta(days=60),
        products={"Biljett": "1890.00"},
        organiser="Påhittade Resor",
    )
    shop.add_order(
        "ballong",
        "MUAAA",
        ADDRESS,
        bought_at=now - timedelta(days=70),
        buyer=KARI,
        phone="+46701740605",
        tickets=[{"name": KARI, "email": ADDRESS}],
    )
    with shop, cards:
        story = opened(
            profile,
            {
                (profile.id, "shop"): shop.configuration,
                (profile.id, "payment"): {"url": cards.url, "key": cards.key},
            },
        )
        decide(story.installation, profile.id)
        drop(story, profile, "sms", utskick="Mottagare;Meddelande;Skickat;Ordernummer\n")
        raw = raw_mail(
            ACCESS_SV,
            sender=ADDRESS,
            name=KARI,
            to=profile.channels[0].address,
            arrived=story.moment(),
            attachment=b"\x89PNG legitimation",
        )
        arrived = story.arrives(raw, profile.id)
        assert (arrived["rights"], arrived["language"]) == (["access"], "sv")
        case = story.confirm(arrived)
        request = request_id(case, Right.ACCESS)
        aggregate = story.aggregate(request)
        assert aggregate.not_in_policy
        assert aggregate.promise_days is None, "as soon as possible is no date"
        story.prove(case["case_id"], ADDRESS)
        story.look_by_hand(request)
        story.approve(request)
        page = said(_texts(story.fetch(ADDRESS)))
        assert "Påhittade Resor" in page
        assert "MUAAA" in page

        # What was sent to prove something is destroyed with the case, and nothing else is.
        (attachment,) = story.case(case["case_id"]).attachments
        story.work()
        assert story.aggregate(request).destroyed == {Compartment.UPLOAD}
        with pytest.raises(Erased):
            story.installation.vault.open(attachment)


# AO: a shop that wants it in writing, sells on instalments and names an authority of old


def test_ao_a_telephone_call_is_enough_and_debts_are_kept_with_a_date(
    opened: Callable[..., Story],
) -> None:
    """AO-03, AO-07 to AO-10, AO-12, AO-15, AO-18: the call starts the clock."""
    profile = POLICIES["AO"]
    story = opened(profile)
    assert "processor_role_doubtful" in decide(story.installation, profile.id)
    bought, paid_off = date(YEAR - 1, 5, 10), date(YEAR + 1, 6, 30)
    customers = (
        "E-post;Kundnummer;Namn;Adress;Telefon;Senaste kontakt;Senaste köp;Avbetalat;Garanti till\n"
        f"{ADDRESS};K1;{KARI};Påhittade gatan 1;0701740605;{YEAR}-01-10;{bought};{paid_off};\n"
    )
    numbers, accounts = "E-post;Personnummer\n", "E-post;Konto;Senaste inloggning;Abonnemang\n"
    purchases = (
        "E-post;Kundnummer;Ordernummer;Köpt;Belopp;Vara;Levererat;Garanti till;Betald\n"
        f"{ADDRESS};K1;O1;{bought};990;Lampa;{bought};;ja\n"
    )
    payments, news = "E-post;Ordernummer;Belopp;Betalsätt;Betald\n", "E-post;Anmäld;Avanmäld\n"
    drop(
        story,
        profile,
        "shop",
        kunder=customers,
        personnummer=f"{numbers}{ADDRESS};19900101-9802\n",
        konton=f"{accounts}{ADDRESS};kari;{YEAR}-01-10;\n",
        köp=purchases,
        betalningar=f"{payments}{ADDRESS};O1;990;Kort;{bought}\n",
    )
    drop(story, profile, "newsletter", lista=f"{news}{ADDRESS};2024-01-01;\n")
    called_at = story.moment() - timedelta(days=2)
    call = {
        "controller": profile.id,
        "channel": "phone",
        "received_at": called_at.isoformat(),
        "text": "Kari ringer och vill att vi raderar allt om henne.",
        "name": KARI,
        "email": ADDRESS,
    }
    taken = story.post("/v1/cases", call, expect=201)
    confirm = {"rights": ["erasure"], "language": "sv"}
    case = story.post(f"/v1/cases/{taken['case_id']}/confirm", confirm)
    story.work()
    request = request_id(case, Right.ERASURE)
    assert story.request(request)["received_on"] == local_day(called_at).isoformat()
    story.prove(case["case_id"], ADDRESS)
    story.look_by_hand(request)
    assert decided(story, request) == {
        ("account", "erase", None, None),
        ("contact", "keep", "contract.open_obligation", (paid_off + DAY).isoformat()),
        ("national-number", "erase", None, None),
        ("newsletter", "erase", None, None),
        ("payments", "erase", None, None),
        ("purchases", "keep", "se.bokforing", f"{YEAR + 6}-12-31"),
    }
    story.approve(request, considered=True)
    story.pass_time(hours=2)
    drop(
        story,
        profile,
        "shop",
        kunder=customers,
        personnummer=numbers,
        konton=accounts,
        köp=purchases,
        betalningar=payments,
    )
    drop(story, profile, "newsletter", lista=news)
    ask_again(story, request, "shop", "newsletter")

    # The marketing supplier is told by a person; banks cannot be told to erase: she is referred.
    assert standing(story, request)["recipient:marketing-suppliers"][1] == "inform-recipient"
    for name, (status, waits_for) in standing(story, request).items():
        if (status, waits_for) == ("waiting-for-person", "inform-recipient"):
            told = {"outcome": "informed", "reason": "informed-by-mail"}
            story.post(f"/v1/requests/{request}/systems/{name}/answer", told)
    story.work()
    assert story.request(request)["status"] == "closed"
    letter = said(story.postbox.last(ADDRESS, "partial-refusal").text)
    for words in (
        "Integritetsskyddsmyndigheten",
        "bokföringslagen",
        f"31 december {YEAR + 6}",
        *profile.controller.names,
    ):
        assert words in letter, words
    assert "Datainspektionen" not in letter


def _texts(package: bytes) -> str:
    """Everything in a package that can be read."""
    with ZipFile(BytesIO(package)) as opened:
        return " ".join(
            opened.read(name).decode("utf-8", "replace")
            for name in opened.namelist()
            if name.endswith((".html", ".json", ".csv"))
        )
