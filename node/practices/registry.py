"""The practices of a node, in the order their rubrics are shown: a newcomer adds one line."""

from node.practices.directory.practice import PRACTICE as DIRECTORY
from node.practices.lending.practice import PRACTICE as LENDING
from node.practices.rides.practice import PRACTICE as RIDES
from node.practices.spaces.practice import PRACTICE as SPACES

PRACTICES = (LENDING, RIDES, SPACES, DIRECTORY)
