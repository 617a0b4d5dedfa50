//! TCP that you can embed and see through: a userspace stack for tokio programs.
