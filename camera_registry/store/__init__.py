"""The store: tables, every SQL statement, migrations, credentials and the audit trail."""
