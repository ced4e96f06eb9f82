"""match/sigma."""
