"""apps/cli."""
