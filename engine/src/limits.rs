//! Every bound in the program, with its unit and the reason for it.
