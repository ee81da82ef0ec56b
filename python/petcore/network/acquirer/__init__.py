"""The acquirer's edge: merchants' payments enter the network here, and leave it as answers."""
