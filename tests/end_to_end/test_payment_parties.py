"""What one system's records name unlocks the next: a purchase in the shop, its order at Klarna.

Klarna is a controller of its own: it is shown, it is referred to, and nothing is erased there
(law E-11); the shop's voucher and purchase are decided by themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.payment_parties import KlarnaDouble
from tests.support.stage import decide, open_stage
from tests.support.stories import Story, raw_mail

HOUSE = "lykteslottet"
KARI = "kari.zwyx@post.example"
ORDER = "f3392f8b-6116-4073-ab96-e330819e2c07"
OTHERS = "aaaaaaaa-6116-4073-ab96-e330819e2c07"
EXPORT = f"Nummer;Navn;E-post;Klarna\n1;Kari Zwyxdal;{KARI};{ORDER}\n2;Ola;o@x.example;{OTHERS}\n"
SYSTEMS = """
[[systems]]
id = "shop"
name = "Nettbutikk"
role = "processor"
delivery = "file"
connector = "csv"
sector = "ticketing"
holdings = [{ kind = "customer", category = "profile" }]

[systems.options]
kind = "customer"
"column.customer_number" = "Nummer"
"column.name" = "Navn"
"column.email" = "E-post"
"column.klarna_order" = "Klarna"

[[systems]]
id = "orders-at-klarna"
name = "Klarna"
role = "independent-controller"
delivery = "connector"
connector = "klarna"
sector = "payment"
holdings = [{ kind = "payment", category = "payments" }]
options = { ids_from = "shop/customer/klarna_order" }

[[recipients]]
id = "klarna"
name = "Klarna"
role = "independent-controller"
told = "referred"
sector = "payment"
words.nb = "Klarna er selv ansvarlig for dette. Vi kan ikke slette noe hos Klarna; ta kontakt der."
words.nn = "Klarna er sjølv ansvarleg. Vi kan ikkje slette noko hos Klarna; ta kontakt der."
words.sv = "Klarna ansvarar självt för detta. Vi kan inte radera något hos Klarna; vänd dig dit."
words.en = "Klarna itself is responsible. We cannot erase anything at Klarna; turn to them."
"""


@pytest.fixture
def klarna() -> Iterator[KlarnaDouble]:
    with KlarnaDouble() as double:
        double.add(ORDER, KARI)
        double.add(OTHERS, "ola@post.example")
        yield double


@pytest.fixture
def story(database_url: str, tmp_path: Path, klarna: KlarnaDouble) -> Iterator[Story]:
    policy = (Path(__file__).parents[1] / "support/organisations" / f"{HOUSE}.toml").read_text()
    news = policy.index('[[categories]]\nid = "newsletter"')
    profile = tmp_path / f"{HOUSE}.toml"
    profile.write_text(policy[:news].replace("recipients = []\n", "") + SYSTEMS)
    secrets = {
        (HOUSE, "orders-at-klarna"): {"url": klarna.url, "user": "merchant", "password": "secret"},
    }
    with open_stage(database_url, tmp_path / "home", {HOUSE: profile}, secrets) as story:
        decide(story.installation, HOUSE)
        yield story


def asked(story: Story, text: str) -> tuple[str, str]:
    mail = raw_mail(
        text,
        sender=KARI,
        name="Kari Zwyxdal",
        to=f"personvern@{HOUSE}.example",
        arrived=story.moment(),
    )
    case = story.confirm(story.arrives(mail, HOUSE))
    story.prove(case["case_id"], KARI)
    return case["case_id"], case["requests"][0]["request_id"]


def export(story: Story, rows: str = EXPORT) -> None:
    folder = story.installation.settings.exports / HOUSE / "shop"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "export.csv"
    file.write_text(rows, encoding="utf-8")
    an_hour_ago = story.moment().timestamp() - 3_600
    os.utime(file, (an_hour_ago, an_hour_ago))


def test_klarna_is_asked_once_the_shop_has_said_by_which_ids(
    story: Story, klarna: KlarnaDouble
) -> None:
    _, request = asked(story, "Hei, jeg vil ha innsyn i alle opplysninger dere har om meg.")
    assert klarna.calls == 0, "before the shop has answered, nobody knows what to ask for"
    assert story.systems(request)["orders-at-klarna"]["status"] == "asked"

    export(story)
    story.post(f"/v1/requests/{request}/systems/shop/again", expect=202)
    story.work()

    assert {record["kind"] for record in story.records(request)} == {"customer", "payment"}
    assert klarna.calls == 1
    story.approve(request)
    with ZipFile(BytesIO(story.fetch(KARI))) as answer:
        copy = "".join(answer.read(n).decode(errors="replace") for n in answer.namelist())
    assert "450.00 NOK" in copy
    assert "K4MADNY" in copy
    assert "01817499100" not in copy
    assert OTHERS not in copy


def test_an_erasure_refers_to_klarna_and_calls_nothing_there_erased(
    story: Story, klarna: KlarnaDouble
) -> None:
    """E-11: the letter names Klarna, and never says "deleted at Klarna"."""
    export(story)
    story.pass_time(hours=1)
    _, request = asked(story, "Hei, jeg vil at dere sletter alle opplysninger dere har om meg.")

    decided = {one["record_id"]: one["decision"] for one in story.decisions(request)}
    kinds = {one["record_id"]: one["kind"] for one in story.records(request)}
    assert {kinds[number]: decision for number, decision in decided.items()}["payment"] == "refer"
    story.approve(request)

    assert ORDER in klarna.orders
    story.pass_time(hours=2)
    export(story, EXPORT.splitlines()[0] + "\n")
    story.post(f"/v1/requests/{request}/systems/shop/again", expect=202)
    story.work()
    letters = [one.text for one in story.postbox.to(KARI)]
    (letter,) = (text for text in letters if "Klarna" in text)
    assert "slettet hos Klarna" not in letter
    said = " ".join(letter.split())
    assert "Betalinger i Klarna (1 treff): andre bestemmer over dette" in said
    assert "Vi kan ikke slette noe hos Klarna" in said
