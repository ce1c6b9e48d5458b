"""The other towns: how a link is made, one visit to one of them, what they may ask of us."""
