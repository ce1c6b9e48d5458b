"""The poison: a record that ended the process twice is passed over when the file is read again.

What is about to be tried is written down before and struck out after. What is found written down
when a file is read again did not end well: a batch is then tried record by record, and a record is
then left out.
"""

import hashlib
from collections.abc import Sequence

from node.store import marks

MARK = "courier_trying"
KEPT = 20  # names; of files that nobody read again


def begin(raws: Sequence[bytes], *, alone: bool = False) -> bool:
    """Write down what is tried now; return whether it was being tried when the process ended."""
    tried, name = marks.read(MARK).split(), _name(raws, alone)
    if name in tried:
        return True
    marks.write(MARK, " ".join([*tried, name][-KEPT:]))
    return False


def end(raws: Sequence[bytes], *, alone: bool = False) -> None:
    """Strike out what was tried: it ended, well or with an error that could be told."""
    name = _name(raws, alone)
    left = [each for each in marks.read(MARK).split() if each != name]
    if left:
        marks.write(MARK, " ".join(left))
    else:
        marks.forget(MARK)


def _name(raws: Sequence[bytes], alone: bool) -> str:
    digest = hashlib.sha256(bytes((alone,)))
    for raw in raws:
        digest.update(hashlib.sha256(raw).digest())
    return digest.hexdigest()
