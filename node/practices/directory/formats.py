"""The open data the directory can read by name: one mapping file for each known source."""

from collections.abc import Mapping
from pathlib import Path

from node.domain.practice import Importer, Practice
from node.imports.mapped import mapped
from node.imports.mapping import read_mapping

FOLDER = Path(__file__).with_name("mappings")


def known_formats(practice: Practice) -> Mapping[str, Importer]:
    """Return {name typed in `import --as`: importer} for every mapping in this folder."""
    mappings = {path.stem: read_mapping(path) for path in sorted(FOLDER.glob("*.toml"))}
    return {name: mapped(each, practice, each.reader) for name, each in mappings.items()}
