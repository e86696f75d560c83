"""OpenDSR 2.0 (formerly OpenGDPR): requests of a controller's passed on to its processors."""
