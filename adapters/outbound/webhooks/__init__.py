"""Webhooks: instructions sent to systems over HTTPS, signed, guarded and counted."""
