"""The console: pages for people, rendered on the server. The frame is here; a page is one file and one row.

How a page is added
    1. `things.py` beside this file:  `async def page(visit: Visit) -> WebAnswer`. The visit (visit.py) says who asks
       (`visit.user`), what (`visit.query`, `visit.form`, `visit.params`), and of which sites (`visit.sites`). What it
       shows comes from `visit.means`; it returns `visit.page("things.html", rows=rows)`, `visit.redirect("/console/x")`
       or `visit.trouble(404, "There is no …")`.
    2. `templates/things.html`:  `{% extends "frame.html" %}`, the blocks `title`, `lead` and `content`. Macros for
       states, times, masked numbers and messages are in `parts.html`. Every value is escaped; there is no inline script
       and no inline style, since the policy forbids both.
    3. a row in rows.py:  `row("GET", "/console/things", things.page, Role.VIEWER, "Things")`. The role is the least one
       that is let in. The path must begin with /console. `desk="console"` if it stands only with that desk.
    4. where it belongs into the rail: a line in rail.py.
    5. its script, if it needs one: `static/things.js`, a module, loaded by the block `scripts` with
       `<script type="module" src="{{ static('things.js') }}"></script>`; styles in `static/things.css`, loaded by the
       block `styles`.

What the gate (gate.py) does before a page is asked: the session, the role, and of everything but GET and HEAD the
origin and the token of the form (`{{ csrf_field() }}` in the form, or the header X-CSRF-Token, whose value stands in
`<meta name="csrf-token">`). A body is a form (application/x-www-form-urlencoded). A page that stays open after its call
was let in (a stream) asks `visit.still_in()` now and then.
"""
