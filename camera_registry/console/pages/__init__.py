"""Pages for people: each module is one page (or one errand) and its lines of the route table."""
