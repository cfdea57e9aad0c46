"""From flips to incidents: one outage, one record, under its root. Pure: time and all that surrounds are arguments.

``book`` is what is remembered, ``faults`` turns flips into faults, ``explaining`` and ``common`` find what is behind
them, ``cases`` keeps the incidents they make up, ``fold`` decides what people are told; ``restore`` takes the book up
again after a restart, ``edits`` is what people do.
"""
