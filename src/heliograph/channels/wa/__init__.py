"""WhatsApp. `PROVIDERS` names the modules of this folder that carry it; they are imported by plugs.py when it looks."""

from __future__ import annotations

CHANNEL = "wa"
PROVIDERS = ("whatsapp_cloud",)
