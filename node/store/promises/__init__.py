"""The engagements between residents and listings, the acts that moved them and what they hold."""
