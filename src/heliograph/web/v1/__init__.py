"""The native API, one file per resource: bearer keys with scopes or OAuth 1.0a, problem+json for all refusals."""
