"""What connects Exqueue with services of others. Nothing of it is imported by the library itself."""
