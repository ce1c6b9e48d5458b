"""The practices: a folder for each thing a town does together; `registry` lists them."""
