"""The observation log and what is made of it: everything that decisions depend on, and the same decisions again.

``records`` are what a log holds, ``reading`` takes them from its files, ``rerun`` gives them to the very ledger and
casebook that the service has, ``hindsight`` tells what another policy would have decided. None of them asks a clock, a
database or the network. ``service.observation_log`` writes the log while the service runs.
"""
