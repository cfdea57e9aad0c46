"""The store: tables, every SQL statement, migrations, credentials and the audit trail.

``Store`` runs jobs; the other modules hold the functions that jobs are made of. Their first argument is the
transaction they run in, so a caller can put several of them into one job that commits as a whole.
"""

from camera_registry.store.database import Store as Store
from camera_registry.store.database import Transaction as Transaction
from camera_registry.store.database import onlooking as onlooking
from camera_registry.store.errors import ClaimLost as ClaimLost
from camera_registry.store.errors import Conflict as Conflict
from camera_registry.store.errors import Outdated as Outdated
from camera_registry.store.errors import Refused as Refused
from camera_registry.store.errors import StoreError as StoreError
from camera_registry.store.errors import Unavailable as Unavailable
from camera_registry.store.schema import Shape as Shape
