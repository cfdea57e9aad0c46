"""The console: what people and scripts reach over HTTP. It decides nothing of health."""

from camera_registry.console.app import build as build
from camera_registry.console.deps import Deps as Deps
