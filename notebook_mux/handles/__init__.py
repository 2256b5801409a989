"""What a user holds, thin over the core: managers, streams, snapshots, objects, and the calls that make them."""
