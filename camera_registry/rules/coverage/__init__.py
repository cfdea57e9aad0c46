"""This package decides how well sites are covered: by their views now and in the past, and by geometry."""
