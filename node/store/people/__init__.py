"""What is private to the town: members, how they come in, what their forms were answered."""
