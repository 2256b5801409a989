"""Headlamp's dialect, served: what its front end, or any client of a Headlamp server, needs of a gateway."""
