"""A whole payment network on one machine, to look at and to measure."""
