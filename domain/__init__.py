"""What is true, without any machinery."""
