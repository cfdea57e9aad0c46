"""Measures of pictures: pure functions of arrays, each in its unit and with its source. None knows what is bad."""
