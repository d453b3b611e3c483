"""What is measured of Exqueue: each function takes one reading, or several that belong together, in one repetition."""
