"""undertag: says what each security event is, and weighs what it may mean."""

__version__ = "0.1.0"
