"""Build scripts: the environments, the wheels, the zip, the demo, the tests."""
