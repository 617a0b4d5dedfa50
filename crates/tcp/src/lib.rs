//! One TCP connection, without I/O.
