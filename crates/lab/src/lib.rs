//! Private networks for demonstrations, tests and benchmarks.
