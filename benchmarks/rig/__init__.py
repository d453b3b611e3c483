"""What every measurement stands on: pinned servers and programs, what jobs wrote, and figures with their spread."""
