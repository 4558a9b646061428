"""heliograph: the open, self-hosted server for proactive alerts."""

__version__ = "0.1.0"
