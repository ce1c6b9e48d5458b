"""What machines read: the catalogue as JSON, without asking anyone."""
