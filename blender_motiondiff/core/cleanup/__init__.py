"""From a generated motion to one whose feet stand: contacts, foot lock, two-bone IK."""
