"""What residents see: routes, forms, words and the shared building of every page."""
