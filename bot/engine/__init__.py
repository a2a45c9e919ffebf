"""How a request becomes an outcome. Knows ports; never a cloud, a database or a door."""
