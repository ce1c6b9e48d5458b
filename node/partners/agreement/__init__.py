"""The agreement between two towns: each signs its own register, what both say is in force."""
