"""What a vocabulary costs, up to a million tokens: `make bench-million`."""
