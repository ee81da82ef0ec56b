"""The dealer's service: many pairs at once, each within its limits, one thread per session."""
