"""The commands an association types: `lavoir …` (also gunicorn's door)."""

import os

import click

from node.cli.admin import admin
from node.cli.backup import backup, restore, restored
from node.cli.bundle import bundle
from node.cli.gate import gate
from node.cli.imports import import_
from node.cli.key import key
from node.cli.partner import partner
from node.cli.recover import recover
from node.cli.serve import serve, work
from node.cli.show import demo
from node.cli.sync import status, sync
from node.cli.town import init, migrate, rebuild


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version="0.1.0", prog_name="lavoir")
def main() -> None:
    """Run a town's node: lend, drive together, federate with other towns."""
    os.umask(0o077)  # what a town keeps is for nobody else on its machine


for command in (
    init,
    serve,
    work,
    migrate,
    rebuild,
    backup,
    restore,
    restored,
    recover,
    admin,
    import_,
    bundle,
    partner,
    gate,
    key,
    sync,
    status,
    demo,
):
    main.add_command(command)
