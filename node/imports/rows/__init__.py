"""One row read with care: row (its cells), personal (what stays out), whereabouts (where it is).

whereabouts asks position and commune, and tells what does not fit together.
"""
