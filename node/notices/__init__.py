"""Notices: what members are told by mail, worded at the moment it is really sent.

Read in this order: letters (the sentences of each kind), post (a mail server, or files where there
is none), sender (what is due, written anew, sent or tried again later). Queuing is one row in the
transaction of what happened (`store.notices.queue`).
"""

from node.notices.letters import CODE, Letter, queue_code
from node.notices.post import PostError, post_of
from node.notices.sender import Sender, Writer

__all__ = ["CODE", "Letter", "PostError", "Sender", "Writer", "post_of", "queue_code"]
