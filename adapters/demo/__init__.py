"""The demonstration: invented organisations, stand-ins for their systems."""
