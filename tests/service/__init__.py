"""The loops, driven by observations and real sockets."""
