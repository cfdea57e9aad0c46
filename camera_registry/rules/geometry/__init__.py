"""This package computes what cameras can see of places: sectors, shadows of buildings, shares of areas and roads."""
