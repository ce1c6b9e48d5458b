"""The desk: what the association's volunteers see and do, in plain words and with few buttons."""
