"""The cases of Erlang/OTP's supervisor, each a test named by its number; `ends` says which there are."""
