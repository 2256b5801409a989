"""Volumes: claims get theirs, found or made; what is in use is kept; what is released is reclaimed."""
