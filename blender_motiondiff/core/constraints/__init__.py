"""What can be asked for: one file a kind; what it observes, and how far an answer is from it."""
