"""Other libraries on the same work. The runners are read by the peers' own environments."""
