"""What the town keeps on disk: one table-noun per file, one way to write, numbered migrations.

database   the current database, write_tx() and the drivers
row        the two field types and the class every table inherits
schema     migrations under a lock
sets/      signed records as they came, and what is remembered of those not kept
network/   partners, introductions, visits
catalogue/ the disposable read models (listings, search, facets) and the codes on posters
people/    members, one-use codes, sessions, form tokens
promises/  engagements, acts, claims on capacity
marks jobs rates notices audit   what the machinery of the node remembers
"""
