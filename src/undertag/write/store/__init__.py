"""write/store."""
