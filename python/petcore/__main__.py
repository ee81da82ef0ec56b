"""`python -m petcore` is `petcore`."""

from petcore.cli import main

main()
