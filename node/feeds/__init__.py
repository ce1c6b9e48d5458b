"""What machines read: the catalogue as JSON, what was promised as calendars."""
