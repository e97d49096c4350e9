"""The network behind one interface: `denoise(noisy, given, mask, level, present) -> residual`."""
