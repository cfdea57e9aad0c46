"""Registers a city's cameras and traffic units and keeps watch over their health."""

from importlib.metadata import version

__version__ = version("camera-registry")
