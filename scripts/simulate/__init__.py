"""The simulation: towns with the real code, a clock that is moved by hand, and one seed for all.

plan       a history before it happens: a seed, some towns, steps drawn from the seed
chance     the one source of randomness while a history runs
light/     towns with a store in memory: the protocol alone, many histories a second
whole/     towns with their files: journal, database, partners, engagements
history    runs one plan and says how it ended; shrink makes a failing one short
crowd      runs many, in several processes; table prints what they reached
planted    faults put in on purpose, each of which some rule must notice
"""
