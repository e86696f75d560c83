"""Signatures of Standard Webhooks: the published example, and everything that must not pass."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from adapters.outbound.webhooks.sign import (
    ID,
    SIGNATURE,
    TIMESTAMP,
    Key,
    NotGenuine,
    signed,
    verify,
)

EXAMPLE = Key(base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), bytes(32))
"""The secret in the standard's own libraries' tests."""
AT = datetime.fromtimestamp(1_614_265_330, UTC)
BODY = b'{"test": 2432232314}'
KEY, OTHER = Key(b"k" * 32, b"s" * 32), Key(b"o" * 32, b"t" * 32)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True)


def test_the_example_of_the_standard_is_signed_alike() -> None:
    headers = signed([EXAMPLE], "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, BODY)

    assert headers[TIMESTAMP] == "1614265330"
    assert headers[SIGNATURE].split()[0] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert EXAMPLE.shown == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_who_keeps_no_secret_checks_with_half_a_key() -> None:
    headers = signed([KEY], "msg_1", AT, BODY)

    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(KEY.public.removeprefix("whpk_")))
    asymmetric = headers[SIGNATURE].split()[1].removeprefix("v1a,")
    public.verify(base64.b64decode(asymmetric), b"msg_1.1614265330." + BODY)


@settings(max_examples=30)
@given(IDS, st.binary(max_size=200), st.integers(-299, 299))
def test_what_was_signed_passes_within_five_minutes(name: str, body: bytes, late: int) -> None:
    headers = signed([KEY], name, AT, body)

    assert verify([OTHER, KEY], headers, body, AT + timedelta(seconds=late)) == name


@settings(max_examples=30)
@given(IDS, st.binary(max_size=200), st.data())
def test_whatever_is_changed_does_not_pass(name: str, body: bytes, data: st.DataObject) -> None:
    headers = signed([KEY], name, AT, body)
    match data.draw(st.sampled_from(["body", "id", "timestamp", "signature", "secret"])):
        case "body":
            tampered = data.draw(st.binary(max_size=200))
            assume(tampered != body)
            body = tampered
        case "id":
            headers[ID] = data.draw(IDS)
            assume(headers[ID] != name)
        case "timestamp":
            moment = data.draw(st.integers(-299, 299))
            assume(moment != 0)
            headers[TIMESTAMP] = str(int(headers[TIMESTAMP]) + moment)
        case "signature":
            first, second = headers[SIGNATURE].split()
            place = data.draw(st.integers(3, len(first) - 3))
            letter = data.draw(st.sampled_from("AZaz09+/"))
            assume(letter != first[place])
            headers[SIGNATURE] = f"{first[:place]}{letter}{first[place + 1 :]} {second}"
        case "secret":
            headers = signed([OTHER], name, AT, body)

    with pytest.raises(NotGenuine, match="signature-wrong"):
        verify([KEY], headers, body, AT)


@pytest.mark.parametrize("late", [timedelta(seconds=301), -timedelta(seconds=301)])
def test_what_was_signed_at_another_time_does_not_pass(late: timedelta) -> None:
    with pytest.raises(NotGenuine, match="timestamp-too-far-off"):
        verify([KEY], signed([KEY], "msg_1", AT, BODY), BODY, AT + late)


@pytest.mark.parametrize(
    "change",
    [
        {ID: ""},
        {ID: "a.b"},
        {ID: "x" * 256},
        {ID: "a\nb"},
        {TIMESTAMP: ""},
        {TIMESTAMP: "²"},
        {TIMESTAMP: "-5"},
        {TIMESTAMP: "9" * 400},
        {SIGNATURE: ""},
        {SIGNATURE: "v1,"},
        {SIGNATURE: "v1,é"},
        {SIGNATURE: "v2,AAAA v1a,AAAA"},
    ],
)
def test_nonsense_in_the_headers_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(NotGenuine):
        verify([KEY], {**signed([KEY], "msg_1", AT, BODY), **change}, BODY, AT)


def test_without_a_key_nothing_passes() -> None:
    with pytest.raises(NotGenuine):
        verify([], signed([KEY], "msg_1", AT, BODY), BODY, AT)


def test_while_a_secret_is_replaced_both_sign() -> None:
    headers = signed([KEY, OTHER], "msg_1", AT, BODY)

    assert verify([KEY], headers, BODY, AT) == verify([OTHER], headers, BODY, AT) == "msg_1"


def test_a_key_is_never_printed() -> None:
    assert "secret" not in repr(KEY) + str(KEY)
