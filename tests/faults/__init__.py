"""The faults that a service must outlive, injected in short; ``bench.faults`` holds the code."""
