"""Real servers for the tests: started here, on free ports of the loopback, and ended here."""
