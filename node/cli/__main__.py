"""`python -m node.cli` is `lavoir`."""

from node.cli import main

main(prog_name="lavoir")
