"""What is kept of erasures: which registers were buried, and which towns said they deleted."""
