"""Photos: what a person sends becomes a small WebP without any metadata, named by its SHA-256.

Read in this order: gate (which bytes may reach a decoder), picture (the only door to Pillow),
shelf (where the files lie), photos (keep, take from a partner, serve, sweep).
"""

from node.photos.photos import Photos, Wanted

__all__ = ["Photos", "Wanted"]
