"""The loops: poller, recorder, housekeeper, self-watch."""
