"""The channels: one folder each. plugs.py finds them; nothing here names them."""
