"""How the service reaches databases, systems and people."""
