"""Backups: made while the node runs, proven before they count, and what brings a town back.

Read in this order: house (the files of a town), parcel (the backup file), snapshot (the database in
it), making, drill, rota (which are kept), restore, swap; then migrating, recovery and twins.
"""
