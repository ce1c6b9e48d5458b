"""Erasure: what is withdrawn is gone from every file, here and at every town that held it.

Read in this order: erase (bury one of ours; bury again after a restore), cleaning (the job that
takes the bytes out of the files), ack (what towns say of it, inside the seal), telling (our answer
to others, theirs to us), standing (who answered, for the pages), people (an account and all that is
its).
"""

from node.erasure.erase import erase, replay

__all__ = ["erase", "replay"]
