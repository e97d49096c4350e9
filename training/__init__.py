"""From recorded motion to weights (PyTorch). Nothing in the extension imports this."""
