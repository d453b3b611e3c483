"""Single faults put into the protocol and the actors, each of which the proof, or a test, has to catch."""
