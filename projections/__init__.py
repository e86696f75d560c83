"""What people look at: read models, each rebuilt from the log, none of them with personal data."""
