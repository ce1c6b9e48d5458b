"""What is remembered of other towns: partners, introductions, nonces, visits and refusals."""
