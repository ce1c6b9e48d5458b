"""The benches: what a node does beside the least any program would have to do."""
