"""Measures what an observation costs between the probe and its readers: ``python -m bench.recording``.

A small fleet is asked until nothing new is learned; what it answered is then taken for a city of so many devices, and
goes through verdict, health, incidents, store, board and metrics again and again, without a socket.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.fleet import Served, served
from bench.processes import own_processor
from bench.report import RESULTS, machine
from camera_registry.board import Board
from camera_registry.link.local import LocalLink
from camera_registry.model.observation import Observation
from camera_registry.model.register import Register
from camera_registry.model.roster import Entry, Put
from camera_registry.rules import stream
from camera_registry.service.books import Books
from camera_registry.service.casebook import Casebook
from camera_registry.service.clock import SteadyClock
from camera_registry.service.dispatcher import Dispatcher
from camera_registry.service.ledger import Ledger
from camera_registry.service.recorder import Recorder
from camera_registry.settings import Settings
from camera_registry.simulator.serving import loop_factory
from camera_registry.store import Store
from exporters.aggregates import Aggregates
from exporters.prometheus import DevicePage
from probes.base import Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.picture.desk import PictureDesk

del stream
