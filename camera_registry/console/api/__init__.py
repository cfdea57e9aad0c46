"""The REST interface, ``/api/v1``: each module is one subject and its lines of the route table."""
