"""From flips to incidents: one outage, one record, under its root. Pure: time and all that surrounds are arguments.

``book`` is what is remembered, ``faults`` turns flips into faults, ``common`` finds what faults have in common,
``fold`` decides what people are told, ``restore`` takes the book up again after a restart, ``edits`` is what people do.
"""
