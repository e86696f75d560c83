"""Kafka: how receipts of connected systems come in."""
