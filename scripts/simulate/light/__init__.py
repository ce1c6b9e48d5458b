"""The light tier: the protocol alone, with the store in memory; many histories a second."""
