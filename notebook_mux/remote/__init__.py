"""Programs and terminals in containers: run by the gateway, read, looked at and joined again by its clients."""
