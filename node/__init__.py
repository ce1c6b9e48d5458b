"""One town's server: what it stores, its members, its practices, its pages and its jobs."""
