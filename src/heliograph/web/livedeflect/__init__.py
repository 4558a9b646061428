"""The LiveDeflect API to the letter: the documented JSON, quirks and all."""
