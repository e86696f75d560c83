"""Stand-ins for vendors' systems, small and stateful, for the demonstration and the tests."""
