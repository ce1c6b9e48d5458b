"""Where things are: the communes of France and the coast of Brittany, from files on the disk."""
