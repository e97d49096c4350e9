"""How good a motion is, in numbers: used by the demo's report, by validation during training, and by the tests."""
