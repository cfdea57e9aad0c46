"""From incidents to crews: one order for one cause, its clocks, and what proves that it was mended. Pure.

``routing`` finds who is sent and by when, ``hours`` counts the contractor's time, ``deeds`` is what people do and may
do, ``fold`` lets orders follow their incidents and time.
"""
