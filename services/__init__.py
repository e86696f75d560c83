"""What the service does with what is true."""
