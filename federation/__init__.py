"""Federation: how towns share sets of signed records, without sockets, clocks or databases.

A record is one signed value of one register, (origin town, key); only the origin writes it. A node
holds a set of records, and two nodes reconcile sets, so a restored backup, a relay, a USB stick or
a year offline are all the same ordinary case. What a record may do is decided by who signed it,
never by who carried it. SPEC.md beside this file says every byte.
"""
