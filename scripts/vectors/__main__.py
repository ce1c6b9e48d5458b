"""Writes tests/vectors/*.json: .venv/bin/python -m scripts.vectors."""

from scripts.vectors.files import write

write()
