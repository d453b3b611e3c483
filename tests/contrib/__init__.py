"""What connects Exqueue with services of others, each with its real client and a server of the test's own."""
