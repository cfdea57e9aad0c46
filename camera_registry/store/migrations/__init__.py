"""Steps from one shape of the database to the next; Alembic runs them, the newest last.

A step is never edited once released: databases in the field were made by it.
"""

HEAD = "0001"
"""The newest step. Kept here so that an up-to-date database opens without loading Alembic."""
