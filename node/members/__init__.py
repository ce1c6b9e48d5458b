"""Members: who the residents and the desk are, and how they come in without a password.

Read in this order: accounts (the people and their roles), codes (one use, said aloud or mailed),
passwords (for who wants one), sessions (which browser is whose), rates (how often is too often).
What they are given: `secret` is the keyring's, for keyed hashes; `now_ms` the town's clock.
"""
