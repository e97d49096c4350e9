"""From the network's numbers to a body that stands in the world."""
