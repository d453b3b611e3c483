"""What is special to the SQLite backend; what all backends promise is in the folder beside."""
