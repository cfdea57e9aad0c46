"""Recordings of devices: what one answered, scrubbed of all that belongs to its site, and played back over sockets."""
