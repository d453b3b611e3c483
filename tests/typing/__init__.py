"""What type checkers say to programs that use Exqueue."""
