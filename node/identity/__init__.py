"""The identity of a town for life: its sheet, its rotations, and what other towns' keys do here."""
