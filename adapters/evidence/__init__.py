"""Evidence that can be checked without us: the program that checks, and the pack it reads."""
