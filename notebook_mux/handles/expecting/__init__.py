"""``nm.expect``: what is asked (`wish`), how it is looked at, the wait, and what explains that it did not come."""
