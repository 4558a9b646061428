"""SMS by 46elks. The channel is heliograph's own; this package brings one more provider that carries it."""

CHANNEL = "sms"
PROVIDERS = ("elks",)
