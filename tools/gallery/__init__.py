"""The gallery: a contact sheet for every kind of constraint, drawn from the example requests."""
