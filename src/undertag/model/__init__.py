"""Ground: the types that cross the borders between rooms. No I/O."""
