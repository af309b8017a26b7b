"""What stands around the panes of a viewer: read-out, layers, regions, cases, histogram, measurements."""
