"""Instructions by webhook: told thin and signed, tried for 75 hours, answered signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.sql import SQL, Identifier

from adapters.outbound.tokens import Scope
from adapters.outbound.trial import Missing, Tried
from adapters.outbound.webhooks.sign import Key, signed, verify
from adapters.settings import secret_variable
from domain.access import Role
from domain.fulfilment import SystemStatus
from domain.instruction import Instruction
from domain.vocabulary import Right
from services.delivering import Carrier, Try
from services.golden import GOLDEN
from tests.support.asking import Clock, hurry, plan, verified
from tests.support.hooks import Hook, Told, listening
from tests.support.house import KARI, NORWAY, House, open_house
from tests.support.problems import problem
from tests.support.roles import held, in_role
from tests.support.told import MAILING, nothing_saved, tell

RECEIPTS = "/v1/webhooks/receipts"


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hook]:
    with listening(tmp_path_factory.mktemp("hook")) as running:
        yield running


@pytest.fixture(scope="module")
def clocks() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def houses(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory, clocks: Clock, hooks: Hook
) -> Iterator[House]:
    """One for all tests: to build the application costs more than any of them."""
    home = tmp_path_factory.mktemp("house")
    allowed = f"127.0.0.1:{hooks.port}"
    with (
        pytest.MonkeyPatch.context() as environment,
        open_house(module_database_url, home, clock=clocks, webhook_allow=allowed) as opened,
    ):
        environment.setenv(secret_variable(NORWAY, MAILING, "url"), hooks.url)
        environment.setenv(secret_variable(NORWAY, MAILING, "ca"), hooks.certificate)
        tell(opened, "webhook")
        yield opened


@pytest.fixture
def hook(hooks: Hook) -> Hook:
    hooks.told.clear()
    hooks.answers.clear()
    return hooks


@pytest.fixture
def clock(clocks: Clock) -> Clock:
    clocks.shift = timedelta()
    return clocks


@pytest.fixture
def house(houses: House, hook: Hook, clock: Clock) -> House:
    """As if nothing had been delivered before."""
    database = houses.installation.database
    database.fetch("UPDATE trettio.tasks SET done_at = clock_timestamp() WHERE done_at IS NULL")
    ours = ("deliveries", "endpoints_gone", "webhook_keys", "webhooks_received")
    for table in (*ours, "automatic_mails"):  # so much mail to one person a day, and no more
        with database.transaction() as connection:
            connection.execute(SQL("DELETE FROM trettio.{}").format(Identifier(table)))
    houses.installation.calling.keys.newest(NORWAY, MAILING)
    return houses


def key(house: House) -> Key:
    return house.installation.calling.keys.newest(NORWAY, MAILING)


def sent(house: House) -> UUID:
    """A request that the system is told of; the case."""
    return verified(house, Right.ERASURE, text=f"Slett meg {uuid4()}")


def tries(house: House) -> list[tuple[int, str, int | None]]:
    found = house.installation.calling.deliveries.of_system(NORWAY, MAILING)
    return [(one.attempt, one.code, one.status) for one in reversed(found)]


def told(message: Told) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(message.body)["data"]
    return data


def answer(house: House, message: Told, outcome: str, **more: Any) -> Any:
    body = callback(message, outcome, **more)
    return post(
        house, body, signed([key(house)], f"msg_{uuid4()}", house.installation.clock(), body)
    )


def callback(message: Told, outcome: str, **more: Any) -> bytes:
    data = {name: told(message)[name] for name in ("instruction", "controller", "system")}
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "/mailing",
            "type": "trettio.receipt.v1",
            "data": {**data, "receipt": str(uuid4()), "outcome": outcome, **more},
        }
    ).encode()


def post(house: House, body: bytes, headers: Mapping[str, str]) -> Any:
    return house.client.post(RECEIPTS, content=body, headers=dict(headers))


# Told


def test_a_system_is_told_thinly_and_signed_and_answers_signed(house: House, hook: Hook) -> None:
    old = key(house)
    house.installation.calling.keys.replace(NORWAY, MAILING)  # while it is, both sign
    case_id = sent(house)

    (message,) = hook.told
    assert verify([old], message.headers, message.body, house.installation.clock())
    assert message.path == "/hook?tenant=1"
    name = verify([key(house)], message.headers, message.body, house.installation.clock())
    assert name == told(message)["instruction"]
    assert message.headers["content-type"] == "application/cloudevents+json"
    for spelt in (KARI, KARI.upper(), base64.b64encode(KARI.encode()).decode()):
        assert spelt not in message.body.decode() + str(message.headers)
    assert tries(house) == [(1, "delivered", 204)]
    waiting = plan(house, case_id, Right.ERASURE).systems[MAILING].status
    assert waiting is not SystemStatus.FOUND, "taken in is not answered"

    record = {"key": "m1", "kind": "member", "matched_by": "email", "fields": {"email": KARI}}
    taken = answer(house, message, "found", found=[record])
    assert (taken.status_code, taken.json()["taken"]) == (200, "new")
    assert plan(house, case_id, Right.ERASURE).systems[MAILING].status is SystemStatus.FOUND


def test_a_trial_goes_there_and_back_by_the_signed_callback(house: House, hook: Hook) -> None:
    """Issue 6: before it goes live, its round trip and its matches are shown."""
    trials = house.installation.trials
    begun = trials.attempt(NORWAY, MAILING)
    assert (begun.tried, begun.is_over) == (Tried.WAITS, False)
    house.work()
    assert [told(message)["purpose"] for message in hook.told] == ["test", "test"]

    golden = {"key": "g1", "kind": "member", "matched_by": "email", "fields": {"email": GOLDEN}}
    for message in hook.told:
        assert answer(house, message, "found", found=[golden]).json()["taken"] == "new"

    good = trials.state(NORWAY, MAILING)
    assert good is not None
    assert (good.tried, good.matches, good.is_over) == (Tried.ANSWERS, 1, True)
    assert set(good.missing) <= {Missing.TOKEN}, "a callback is signed and needs none"
    assert good.milliseconds > 0


def test_what_fails_is_tried_again_under_the_same_id(house: House, hook: Hook) -> None:
    hook.next_answers(500, 302, 404, 429, Retry_After="1000", Location="https://127.0.0.1/")
    hook.body = b"x" * 200_000

    sent(house)
    for _ in range(4):
        hurry(house, destroying=False)

    assert tries(house) == [
        (1, "refused", 500),
        (2, "refused", 302),
        (3, "refused", 404),
        (4, "refused", 429),
        (5, "delivered", 204),
    ]
    assert len({message.headers["webhook-id"] for message in hook.told}) == 1
    assert len({message.body for message in hook.told}) == 1
    pauses = [
        one.next_at - one.tried_at
        for one in reversed(house.installation.calling.deliveries.of_system(NORWAY, MAILING))
        if one.next_at is not None
    ]
    schedule = (1_000, 1_000, 1_800, 7_200)  # five seconds and five minutes were too soon for it
    for pause, seconds in zip(pauses, schedule, strict=True):
        assert timedelta(seconds=seconds) <= pause <= timedelta(seconds=seconds * 1.1)


def test_after_75_hours_a_person_is_told_and_can_have_it_delivered_again(
    house: House, hook: Hook
) -> None:
    hook.next_answers(*[503] * 10)
    case_id = sent(house)
    for _ in range(9):
        hurry(house, destroying=False)

    state = plan(house, case_id, Right.ERASURE).systems[MAILING]
    assert state.status is SystemStatus.WAITING_FOR_PERSON
    assert [attempt for attempt, _, _ in tries(house)] == list(range(1, 11))
    hurry(house, destroying=False)
    assert len(hook.told) == 10, "nothing is tried by itself any more"

    house.installation.instructions.again(UUID(told(hook.told[0])["instruction"]), by="ola")
    house.work()
    assert tries(house)[-1] == (1, "delivered", 204)
    assert len({message.headers["webhook-id"] for message in hook.told}) == 1


def test_an_address_that_is_gone_is_left_alone_until_somebody_opens_it(
    house: House, hook: Hook
) -> None:
    hook.next_answers(410)
    case_id = sent(house)
    hurry(house, destroying=False)

    assert len(hook.told) == 1
    state = plan(house, case_id, Right.ERASURE).systems[MAILING]
    assert state.status is SystemStatus.WAITING_FOR_PERSON
    (warning,) = [one for one in house.client.get("/health").json()["warnings"] if "410" in one]
    assert f"{NORWAY}/{MAILING}" in warning

    again = UUID(told(hook.told[0])["instruction"])
    house.installation.instructions.again(again, by="ola")
    house.work()
    assert len(hook.told) == 1, "it is still gone"

    house.installation.calling.deliveries.open_again(NORWAY, MAILING)
    house.installation.instructions.again(again, by="ola")
    house.work()
    assert len(hook.told) == 2
    assert tries(house)[-1] == (1, "delivered", 204)


def test_what_keeps_it_from_leaving_is_said(
    house: House, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = (secret_variable(NORWAY, MAILING, name) for name in ("url", "ca"))

    monkeypatch.delenv(certificate)
    sent(house)
    for value in ("", "https://10.0.0.1/", "https://127.0.0.1:1/"):
        monkeypatch.setenv(url, value)
        hurry(house, destroying=False)

    assert [code for _, code, _ in tries(house)] == [
        *("no-answer", "no-address", "address-refused", "address-refused")
    ]
    assert hook.told == []


class CutOff(BaseException):
    """The process is gone."""


def test_cut_off_after_it_was_told_it_is_told_again_under_the_same_id(
    house: House, hook: Hook
) -> None:
    deliverers = house.installation.instructions._deliverers
    (contract,) = [one for one in deliverers if one.value == "webhook"]
    delivering: Any = deliverers[contract]
    carrier: Carrier = delivering._carrier

    class Falling:
        def carry(self, instruction: Instruction) -> Try:
            carrier.carry(instruction)
            raise CutOff

    delivering._carrier = Falling()
    with pytest.raises(CutOff):
        sent(house)
    assert tries(house) == []
    delivering._carrier = carrier
    house.installation.database.fetch(
        "UPDATE trettio.tasks SET next_at = clock_timestamp() WHERE done_at IS NULL"
    )
    house.work()

    assert [message.headers["webhook-id"] for message in hook.told] == [
        told(hook.told[0])["instruction"]
    ] * 2
    assert tries(house) == [(1, "delivered", 204)]


# Answered


def test_only_the_system_itself_answers_and_only_now(
    house: House, hook: Hook, clock: Clock
) -> None:
    sent(house)
    (message,) = hook.told
    body = callback(message, "nothing-held")
    now = clock()
    good = signed([key(house)], "msg_1", now, body)
    other = house.installation.calling.keys.newest(NORWAY, "shop")

    with nothing_saved(house):
        for headers in (
            {},
            {**good, "webhook-id": "msg_2"},
            signed([other], "msg_1", now, body),
            signed([key(house)], "msg_1", now - timedelta(minutes=6), body),
            signed([key(house)], "msg_1", now + timedelta(minutes=6), body),
        ):
            problem(post(house, body, headers), 401)
        problem(post(house, body + b" ", good), 401)
        for junk in (b"", b"{", b"[]", b'{"data": {"controller": "\xff"}}'):
            problem(post(house, junk, signed([key(house)], "msg_1", now, junk)), 401)

        foreign = body.replace(b'"mailing"', b'"shop"', 1)
        assert json.loads(foreign)["data"]["system"] == "shop"
        problem(post(house, foreign, signed([other], "msg_1", now, foreign)), 404)

    assert post(house, body, good).json()["taken"] == "new"


def test_the_same_message_again_has_no_second_effect(house: House, hook: Hook) -> None:
    sent(house)
    (message,) = hook.told
    now = house.installation.clock()
    body = callback(message, "nothing-held")
    headers = signed([key(house)], "msg_1", now, body)
    assert post(house, body, headers).json()["taken"] == "new"

    with nothing_saved(house):
        assert post(house, body, headers).json()["taken"] == "again"
        fresh = signed([key(house)], "msg_2", now, body)
        assert post(house, body, fresh).json()["taken"] == "again", "its receipt is known"
        another = callback(message, "needs-person")
        refused = post(house, another, signed([key(house)], "msg_1", now, another))
        assert "webhook-id" in problem(refused, 422)["detail"]


def test_an_answer_that_makes_no_sense_is_told_what_to_mend(house: House, hook: Hook) -> None:
    sent(house)
    (message,) = hook.told
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"outcome": "perhaps"}, "data.outcome"),
        ({"outcome": "needs-person", "reason": "Kari ringte"}, "data.reason"),
        ({"outcome": "needs-person", "reason": "01018012345"}, "data.reason"),
        ({"outcome": "found", "found": [{"key": "1"}]}, "data.found.0.kind"),
    )

    with nothing_saved(house):
        for change, where in changes:
            refused = problem(answer(house, message, **change), 422)
            assert where in [one["where"] for one in refused["errors"]]
            assert "Kari" not in str(refused)
            assert "01018012345" not in str(refused)
            if where == "data.reason":
                assert "such as two-customers" in refused["errors"][0]["write"]
        # Nor is our own message, sent back to us as it came.
        wanted = ("webhook-id", "webhook-timestamp", "webhook-signature")
        headers = {name: message.headers[name] for name in wanted}
        problem(post(house, message.body, headers), 422)


# Seen


def test_every_try_is_seen_by_page_and_can_be_made_again(house: House, hook: Hook) -> None:
    hook.next_answers(500)
    sent(house)
    hurry(house, destroying=False)
    admin = house.installation.tokens.create(
        name="deliveries", staff_id="opal", scopes=frozenset({Scope.ADMIN})
    )
    headers = {"Authorization": f"Bearer {admin}"}
    address = f"/v1/controllers/{NORWAY}/systems/{MAILING}/deliveries"

    first = house.client.get(f"{address}?limit=1", headers=headers)
    second = house.client.get(first.links["next"]["url"], headers=headers)
    assert [(one["attempt"], one["code"]) for one in first.json() + second.json()] == [
        (2, "delivered"),
        (1, "refused"),
    ]
    assert "next" not in second.links
    assert KARI not in first.text + second.text

    instruction = told(hook.told[0])["instruction"]
    wish = {**headers, "Idempotency-Key": "once"}
    for _ in range(2):
        again = house.client.post(address, json={"instruction": instruction}, headers=wish)
        assert again.json() == {"instruction": instruction}
    house.work()
    assert len(hook.told) == 3
    (newest, *_) = house.client.get(address, headers=headers).json()
    assert (newest["round"], newest["attempt"]) == (1, 1)
    other = f"/v1/controllers/{NORWAY}/systems/shop/deliveries"
    problem(house.client.post(other, json={"instruction": instruction}, headers=headers), 404)


def test_the_desk_sees_each_try_and_opens_what_is_gone(house: House, hook: Hook) -> None:
    hook.next_answers(410)
    sent(house)
    operator = in_role(house, held(Role.OPERATOR, NORWAY), staff="opal")
    operator.headers["Accept-Language"] = "en"
    here = f"/desk/admin/systems/{NORWAY}/{MAILING}"

    assert here in operator.get("/desk/admin/systems").text
    shown = operator.get(here).text
    assert "Gone" in shown
    assert "(410)" in shown
    assert KARI not in shown
    instruction = told(hook.told[0])["instruction"]
    opened = operator.post(f"{here}/open")
    assert "Open it again" not in opened.text
    house.work()
    again = operator.post(f"{here}/again", data={"instruction": instruction})
    assert "It is being delivered again." in again.text
    house.work()
    found = house.installation.calling.deliveries.of_system(NORWAY, MAILING)
    codes = [one.code for one in reversed(found) if str(one.instruction) == instruction]
    assert codes == ["gone", "delivered", "delivered"]
    for address, wrong in (
        (f"{here}/again", str(uuid4())),
        (f"{here}/again", "x"),
        (f"/desk/admin/systems/{NORWAY}/shop/again", instruction),
        (f"/desk/admin/systems/{NORWAY}/no-such/again", instruction),
    ):
        assert operator.post(address, data={"instruction": wrong}).status_code == 404


def test_tries_are_forgotten_after_a_hundred_days(house: House, hook: Hook, clock: Clock) -> None:
    sent(house)
    clock.forward(days=99)
    house.installation.pass_over()
    assert len(tries(house)) == 1

    clock.forward(days=2)
    house.installation.pass_over()
    assert tries(house) == []
