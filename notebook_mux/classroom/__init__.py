"""A class: one embedded cluster with a namespace for each student, one gateway with a link for each."""
