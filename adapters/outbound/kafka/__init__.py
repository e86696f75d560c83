"""Kafka: how the log's public facts and instructions leave, at least once and in order."""
