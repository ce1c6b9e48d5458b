"""The adapters: a few lines each between the protocol's bytes and a wire that carries them."""
