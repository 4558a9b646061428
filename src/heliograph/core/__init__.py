"""Floor 0: the nouns and the rules. No await, no I/O, no clock, no randomness."""
