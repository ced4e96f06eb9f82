"""read/normalise."""
