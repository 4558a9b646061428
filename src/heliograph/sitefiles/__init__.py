"""Site files as authors write them: a folder with site.toml and templates → what the registry is wanted to be.

site.py      site.toml: the site, its senders, its desk    template.py   one version of a template
fallback.py  when a channel is left for the next           named.py      templates that the provider keeps
opt_outs.py  keywords and their confirmations              webhook.py    where the brand is told
toml.py      TOML with lines, ${NAME}s and every fault at once
"""

from heliograph.sitefiles.site import Desks, Plugs, inspect, read

__all__ = ["Desks", "Plugs", "inspect", "read"]
