"""Carpooling: the trips residents share, and the places where they meet.

Three things are listed under one rubric, told apart by their verb:
    drive    somebody drives and has seats free, on a day or every week
    travel   somebody looks for a seat on such a trip
    meet     a carpool place: where cars may be left (the national base lists them)

Reading order: schema (what a trip and a place say), facets (by what they are found), bnlc (how the
national base of carpool places is read), practice (what the node is told of all this).
"""
