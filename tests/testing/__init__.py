"""What is offered to the tests of programs that use Exqueue."""
