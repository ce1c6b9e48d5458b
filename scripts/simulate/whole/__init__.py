"""The whole tier: towns as they run, with their files, databases, partners and engagements.

house   towns founded once and copied; how a database is opened (power cuts lose nothing here:
        `synchronous` is off, what a disk does with it is tested elsewhere)
place   one town of a world: started, crashed, copied, put back
world   the towns, the wire between them, and the taking of steps
deeds   what people do; mishaps: what goes wrong; verbs: all of them by name
rules   what must hold of records; promises: of engagements; rest: once all is healed
"""
