"""The demo: the main job from end to end through the installed zip, with controls, pictures and a report."""
