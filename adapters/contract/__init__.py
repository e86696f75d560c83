"""The contract with connected systems: what is said to them, and what they may answer."""
