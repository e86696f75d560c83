"""The command line `trettio`."""
