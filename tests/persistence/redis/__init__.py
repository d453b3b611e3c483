"""What holds for the persistence in Redis alone."""
