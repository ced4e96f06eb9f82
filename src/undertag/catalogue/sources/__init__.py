"""The log-source catalogue: what can be switched on, tested and watched."""
