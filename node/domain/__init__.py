"""What the town's rules are, without a database, a page or a clock: the pure floor."""
