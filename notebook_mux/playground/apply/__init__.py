"""Server-side apply, who owns which field, and the patches that know a schema.

    fields.py      sets of fields, as FieldsV1 writes them
    typed.py       values by their schema: their fields, what differs, merging, taking away
    ownership.py   the entries of metadata.managedFields, and what a change makes of them
    server_side.py the apply patch, its checks and its conflicts
    strategic.py   strategic merge patches
    json_patch.py  JSON patches

How the parts go together is in KEP-555 (Server-side apply) and in the Kubernetes documentation, "Server-Side Apply".
"""
