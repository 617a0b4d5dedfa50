//! A network of stacks in virtual time.
