"""The practices of a node, in the order their rubrics are shown: a newcomer adds one line."""

from node.practices.lending.practice import PRACTICE as LENDING

PRACTICES = (LENDING,)
