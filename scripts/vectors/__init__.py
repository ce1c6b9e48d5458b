"""The vectors of SPEC.md: what makes tests/vectors/*.json, the same bytes at every run."""
