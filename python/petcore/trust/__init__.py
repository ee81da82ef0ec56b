"""Who a party is, what it may disclose, and the record of what it disclosed."""
