"""Authorization: whether somebody may do something, as one server knows the rules."""
