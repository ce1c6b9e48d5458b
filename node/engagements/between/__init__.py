"""What travels between two towns about an engagement: two sealed registers and their care."""
