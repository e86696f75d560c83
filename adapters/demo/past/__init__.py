"""The six months before a demonstration began, lived through the services."""
