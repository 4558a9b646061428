"""Floor 3: HTTP in and out. Doors decide nothing."""
