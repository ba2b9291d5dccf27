"""REST, WebSockets and the page, for people and scripts. ``app.create_app`` makes it; docs/api.md describes it."""
