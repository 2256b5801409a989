"""``nm.plug``: numbers that the embedded cluster counts, the account of those that came, and what cuts their way."""
