"""The console: REST API, pages, access."""
