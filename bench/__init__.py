"""The benchmarks: what a probe and a device-minute cost on this machine. Run them with `make bench`."""
