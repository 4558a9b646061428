"""Floor 1: the story of an alert. Async; everything it needs comes in as `Means`."""
