"""Speed and memory of the motion core, as ratios in one run: `make bench`."""
