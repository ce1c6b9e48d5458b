"""What was acknowledged survives the death of its writer, and a half-done thing never appears.

SIGKILL finds what a crash of the process can break; what a power cut can break was settled by
choosing synchronous=FULL with WAL or TRUNCATE, which test_store_database holds.
"""

import os
import random
import signal
import time

import pytest

from node.store import marks
from node.store.database import DRIVERS, open_database, using, write_tx
from node.store.schema import migrate

LIVES = 25  # of the writer, for each driver
ROWS_PER_TX = 5
SEED = 20_261_123


def write_rounds(path, driver, first, says):
    """Write one transaction after the other; say each number once its commit has returned."""
    number = first
    with using(open_database(path, driver)):
        while True:
            with write_tx():
                for part in range(ROWS_PER_TX):
                    marks.write(f"{number}.{part}", "x" * 300)
                marks.write_number("last", number)
            os.write(says, number.to_bytes(4, "big"))
            number += 1


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path, driver):
    random.seed(SEED)
    print(f"seed {SEED}")
    path = tmp_path / "town.db"
    made = open_database(path, driver)
    migrate(made)
    made.close()
    acknowledged = 0
    for _ in range(LIVES):
        acknowledged = _live_and_die(path, driver, acknowledged + 1)
        database = open_database(path, driver)
        with using(database):
            last = marks.number("last")
            written = marks.Mark.select().where(marks.Mark.name.contains(".")).count()
            assert last in (acknowledged, acknowledged + 1)  # the one under way may have made it
            assert written == last * ROWS_PER_TX  # whole transactions only
            assert database.pragma("integrity_check") == "ok"
        database.close()
        acknowledged = last
    assert acknowledged > LIVES


def _live_and_die(path, driver, first):
    """Let a writer begin at `first`, kill it at a random moment; return what it said last."""
    hears, says = os.pipe()
    writer = os.fork()
    if writer == 0:
        try:
            write_rounds(path, driver, first, says)
        finally:
            os._exit(1)
    os.close(says)
    heard = os.read(hears, 4)
    time.sleep(random.uniform(0.0, 0.08))
    os.kill(writer, signal.SIGKILL)
    while more := os.read(hears, 4096):
        heard += more
    os.close(hears)
    assert os.WIFSIGNALED(os.waitpid(writer, 0)[1]), "the writer must not end by itself"
    return int.from_bytes(heard[-4:], "big")
