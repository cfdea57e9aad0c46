"""Discovery: asks whole networks what stands in them, slowly, and never shows anybody a password."""
