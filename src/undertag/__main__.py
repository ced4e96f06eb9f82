"""`python -m undertag`."""

from undertag.apps.cli import main

main()
