"""Kinds that are defined at run time: CustomResourceDefinitions, and what is checked of their objects.

`versions` reads a definition, `shapes` fills in defaults, `checks` validates against a structural schema, `rules`
evaluates validation rules written in CEL (`cel`), `objects` puts these together for a custom object; `definitions` and
`schemas` say what is wrong with a definition itself, `lifecycle` accepts its names and empties it at its end, `scale`
is the sub-resource. Fields that a schema does not name are taken away where bodies are read
(`playground.schemas.structural`).
"""
