"""The sets of signed records as they came, their sums, and the ids not worth fetching again."""
