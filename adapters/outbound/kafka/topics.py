"""The three topics: what each must be like, made on request and checked at every start.

They are kept for 100 days, longer than the longest time the law gives for an answer (Art. 12(3):
one month and two more), so that a system that was away finds all it was told; and never compacted,
for every message counts.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from adapters.contract.messages import INSTRUCTIONS, RECEIPTS, REQUESTS
from adapters.outbound.kafka.connection import KafkaNotUsable, administration
from adapters.settings import Settings

PUBLISHED = (REQUESTS, INSTRUCTIONS)
TOPICS = (*PUBLISHED, RECEIPTS)

KEPT_MILLISECONDS = 100 * 24 * 3600 * 1000
PARTITIONS = 6
CREATE = "run: trettio publish --create-topics"


def create_topics(
    settings: Settings, *, partitions: int = PARTITIONS, replicas: int = -1
) -> list[str]:
    """Make the topics that are missing; answers which. `replicas` is the broker's own default."""
    with administration(settings) as client:
        there = set(client.list_topics())
        missing = [topic for topic in TOPICS if topic not in there]
        if missing:
            client.create_topics(
                {
                    topic: {
                        "num_partitions": partitions,
                        "replication_factor": replicas,
                        "configs": {
                            "retention.ms": str(KEPT_MILLISECONDS),
                            "cleanup.policy": "delete",
                        },
                    }
                    for topic in missing
                },
                wait_for_metadata=True,
            )
    return missing


def check_topics(settings: Settings) -> dict[str, UUID]:
    """Kafka's own id of each topic; raises what to do where one is missing or loses messages."""
    with administration(settings) as client:
        there = {one["name"]: one for one in client.describe_topics(list(TOPICS))}
        missing = [
            topic for topic in TOPICS if topic not in there or there[topic].get("error_code")
        ]
        if missing:
            raise KafkaNotUsable(f"Kafka has no topic {', '.join(missing)}: {CREATE}")
        for topic in TOPICS:
            _require_kept(topic, _configuration(client, topic))
        return {topic: UUID(str(there[topic]["topic_id"])) for topic in TOPICS}


def _require_kept(topic: str, found: dict[str, str]) -> None:
    if "compact" in found.get("cleanup.policy", "delete"):
        raise KafkaNotUsable(
            f"topic {topic} is compacted, so messages would be lost: set its cleanup.policy to"
            " delete"
        )
    kept = int(found.get("retention.ms", KEPT_MILLISECONDS))
    if 0 <= kept < KEPT_MILLISECONDS:
        raise KafkaNotUsable(
            f"topic {topic} keeps messages for {kept / 86_400_000:.0f} days only: set its"
            f" retention.ms to {KEPT_MILLISECONDS} (100 days) or more"
        )


def _configuration(client: Any, topic: str) -> dict[str, str]:
    """What is set; nothing where we may not ask, since reading settings is a right of its own."""
    from kafka.admin import ConfigResource, ConfigResourceType

    answer = client.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all"
    )
    return {
        name: told["value"] or ""
        for topics in answer.values()
        for found in topics.values()
        for name, told in found.items()
    }
