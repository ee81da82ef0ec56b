"""The private payment network: payments that cross a gateway which cannot read them."""
