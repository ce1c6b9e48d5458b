"""The one door: what our town says is signed here, what others say is admitted here."""
