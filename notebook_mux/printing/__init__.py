"""From an object's bytes to what a person reads: live cells, tables of text and HTML, data frames."""
