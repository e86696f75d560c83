"""A complete connected system to learn from: a small shop that Trettio tells by Kafka.

    pip install kafka-python
    KAFKA=127.0.0.1:9092 TRETTIO=https://trettio.example TOKEN=... KEY=1:9f86d0... \\
    CONTROLLER=lykteslottet SYSTEM=shop python connected_system.py shop.db

The operator gives you TOKEN (`trettio token create`) and KEY, your key with its version
(`trettio system key`). What each field of a message means: ../contract/asyncapi.yaml.
"""

from __future__ import annotations

import hmac
import json
import os
import sqlite3
import sys
import unicodedata
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID, uuid5

from kafka import KafkaConsumer, KafkaProducer

TABLES = """
CREATE TABLE IF NOT EXISTS customer (
    id INTEGER PRIMARY KEY, name, email, created_at TEXT NOT NULL, newsletter, restricted
);
CREATE TABLE IF NOT EXISTS purchase (id INTEGER PRIMARY KEY, customer, total, completed_on);
-- What a customer is called on the bus: one look tells whether an instruction concerns us.
CREATE TABLE IF NOT EXISTS token (token TEXT, customer INTEGER, PRIMARY KEY (token, customer));
-- Whoever is behind these gets no advertising, not even when an import brings them back.
CREATE TABLE IF NOT EXISTS silenced (token TEXT PRIMARY KEY);
-- What we have done, with our answer: told again, we answer again. Nothing personal is in it.
CREATE TABLE IF NOT EXISTS done (instruction TEXT PRIMARY KEY, answer TEXT, erased_at TEXT);
"""
ERASE = {kind: f"DELETE FROM {kind} WHERE id = ?" for kind in ("customer", "purchase")}  # noqa: S608
ANONYMISE = {
    "customer": "UPDATE customer SET name = NULL, email = NULL WHERE id = ?",
    "purchase": "UPDATE purchase SET customer = NULL WHERE id = ?",
}
MARK = {
    "suppress": "UPDATE customer SET newsletter = 0 WHERE id = ?",
    "restrict": "UPDATE customer SET restricted = 1 WHERE id = ?",
    "unrestrict": "UPDATE customer SET restricted = 0 WHERE id = ?",
}
NOTHING = {"outcome": "nothing-held"}


class Shop:
    """The shop's own data, and what can be done with it."""

    def __init__(self, path: str, key: str) -> None:
        self.db = sqlite3.connect(path)
        self.db.executescript(TABLES)
        version, digits = key.split(":")
        self.version, self.key = int(version), bytes.fromhex(digits)

    def token(self, email: str) -> str:
        """What Trettio calls this address when it talks to us. Nobody else can compute it."""
        text = " ".join(unicodedata.normalize("NFC", email).casefold().split())
        local, _, domain = text.rpartition("@")
        text = f"email:{local}@{domain.encode('idna').decode()}"
        return hmac.digest(self.key, text.encode(), "sha256").hex()

    def add(self, customer: int, name: str, email: str, created_at: str) -> None:
        token = self.token(email)
        silenced = self.db.execute("SELECT 1 FROM silenced WHERE token = ?", [token]).fetchone()
        with self.db:
            row = (customer, name, email, created_at, not silenced)
            self.db.execute("INSERT INTO customer VALUES (?, ?, ?, ?, ?, 0)", row)
            self.db.execute("INSERT INTO token VALUES (?, ?)", (token, customer))

    def customers(self, tokens: list[str], before: str | None) -> list[int]:
        """Whom of ours it is about. Whoever came after `before` has come back, and stays."""
        query = """SELECT DISTINCT id FROM token JOIN customer ON id = customer
            WHERE julianday(created_at) < julianday(?)
            AND token IN (SELECT value FROM json_each(?))"""
        rows = self.db.execute(query, (before or "9999-12-31", json.dumps(tokens)))
        return [customer for (customer,) in rows.fetchall()]

    def found(self, customers: list[int]) -> list[dict[str, Any]]:
        """Everything we hold about them, as a person is to read it."""
        held: list[dict[str, Any]] = []
        for customer in customers:
            row = "SELECT name, email, created_at FROM customer WHERE id = ?"
            name, email, since = self.db.execute(row, [customer]).fetchone()
            fields = {"name": name, "email": email, "customer_since": since}
            held.append({"key": str(customer), "kind": "customer", "fields": fields})
            rows = "SELECT id, total, completed_on FROM purchase WHERE customer = ?"
            for purchase, total, day in self.db.execute(rows, [customer]):
                fields = {"total": total, "bought_on": day}
                # It bears no address of its own: it hangs on the customer.
                sold = {"key": str(purchase), "kind": "purchase", "linked": True, "fields": fields}
                held.append({**sold, "anchors": {"order_completed": day}})
        return [{**record, "matched_by": "email"} for record in held]

    def treat(self, kind: str, key: str, decision: str) -> dict[str, str]:
        """One record goes, or loses what says whose it was."""
        if kind == "customer":
            self.db.execute("DELETE FROM token WHERE customer = ?", [key])
        how = ANONYMISE if decision == "anonymise" else ERASE
        if not self.db.execute(how[kind], [key]).rowcount:
            return {"outcome": "not-found"}
        anonymised = {"outcome": "anonymised", "detail": "link-removed"}
        return anonymised if how is ANONYMISE else {"outcome": "erased"}


def post(path: str, body: object) -> dict[str, Any]:
    """Ask Trettio, or tell it, what no message on the bus may hold."""
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "Content-Type": "application/json"}
    request = Request(os.environ["TRETTIO"] + path, json.dumps(body).encode(), headers)  # noqa: S310
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        read: dict[str, Any] = json.load(answer)
        return read


def act(shop: Shop, told: dict[str, Any]) -> dict[str, Any]:
    """Do what we are told, and say what became of it."""
    verb = told["verb"]
    ours = ("email", shop.version)
    tokens = [one["token"] for one in told["tokens"] if (one["kind"], one["version"]) == ours]
    if not tokens:
        return {"outcome": "needs-person", "reason": "nothing-to-search-by"}
    customers = shop.customers(tokens, told.get("erased_before"))
    if verb in {"find", "read-back"}:  # a read-back looks again: memory would prove nothing
        return {"outcome": "found", "found": shop.found(customers)} if customers else NOTHING
    if verb == "erase" and told["records"]:
        claim = post(told["claim"], {})  # the keys of the records, which no message holds
        treated = [
            {"record": one["record"], **shop.treat(one["kind"], one["key"], one["decision"])}
            for one in claim["records"]
        ]
        return {"outcome": "done", "records": treated}
    if verb == "erase":  # an old erasure told again, because we were restored from a backup
        kinds = {one["kind"]: one["decision"] for one in told["kinds"]}
        for one in shop.found(customers):
            if one["kind"] in kinds:  # what is of another kind was kept, by law
                shop.treat(one["kind"], one["key"], kinds[one["kind"]])
    elif verb in MARK:
        shop.db.executemany(MARK[verb], [[customer] for customer in customers])
        if verb == "suppress":
            rows = "INSERT OR IGNORE INTO silenced VALUES (?)"
            shop.db.executemany(rows, [[token] for token in tokens])
    elif verb != "inform":
        return {"outcome": "needs-person", "reason": "unknown-verb"}
    return {"outcome": "done"} if customers or verb == "inform" else NOTHING


def answered(shop: Shop, told: dict[str, Any]) -> dict[str, Any]:
    """Our answer. What changes something is done once, and remembered with what it changed."""
    instruction = told["instruction"]
    row = shop.db.execute("SELECT answer FROM done WHERE instruction = ?", [instruction]).fetchone()
    if row:
        known: dict[str, Any] = json.loads(row[0])
        return known
    with shop.db:  # the work and the memory of it, or neither
        answer = act(shop, told)
        # The same answer always has the same id: whoever gets it twice counts it once.
        answer["receipt"] = str(uuid5(UUID(instruction), answer["outcome"]))
        if told["verb"] not in {"find", "read-back"}:
            row = (instruction, json.dumps(answer))
            shop.db.execute("INSERT INTO done VALUES (?, ?, CURRENT_TIMESTAMP)", row)
    return answer


def main() -> None:
    """Killed at any line and started again, it goes on: nothing is lost, nothing done twice."""
    shop = Shop(sys.argv[1], os.environ["KEY"])
    mine = {"controller": os.environ["CONTROLLER"], "system": os.environ["SYSTEM"]}
    producer = KafkaProducer(bootstrap_servers=os.environ["KAFKA"])
    consumer = KafkaConsumer(
        "trettio.instructions.v1",
        bootstrap_servers=os.environ["KAFKA"],
        group_id=mine["system"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=10_000,  # so long nobody reads on for one of us that was killed
    )
    for message in consumer:
        told = json.loads(message.value)["data"]
        if mine.items() <= told.items():
            try:
                answer = answered(shop, told)
                if "found" in answer:
                    post(told["claim"].replace("/claim", "/receipt"), answer)
                else:
                    data = {**mine, "instruction": told["instruction"], **answer}
                    event = {"specversion": "1.0", "type": "trettio.receipt.v1", "data": data}
                    event |= {"id": answer["receipt"], "source": f"/{mine['system']}"}
                    receipt = json.dumps(event).encode()
                    producer.send("trettio.receipts.v1", receipt, message.key).get(timeout=30)
            except HTTPError as error:
                if error.code not in {404, 409, 410, 422}:
                    raise  # we are started again, and told again
                print(f"{told['instruction']} is over: {error.code}", file=sys.stderr)
        consumer.commit()


if __name__ == "__main__":
    main()
