"""``%kubectl`` and ``%%kubectl``: a real kubectl in a cell, by way of the gateway, with what it says kept as data."""
