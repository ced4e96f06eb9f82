"""match/indexed."""
