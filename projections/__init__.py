"""What people look at: read models without personal data."""
