"""Who shares what around here: associations, workshops, shops and boxes, and where to find them.

An entry says what an organisation does, where, when and under which address on the web. Nothing is
asked through it: one goes there. Its people confirm it once a year; otherwise it is shown as stale.

Reading order: sorts (the kinds of organisation and their families), schema (what an entry says),
mappings/ (how some open data are read: book boxes, fablabs...), practice (what the node is told).
"""
