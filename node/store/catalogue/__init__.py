"""The read models `rebuild` makes again (listings, search, facets), and what names listings."""
