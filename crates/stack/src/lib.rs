//! One host without I/O: addresses, ports, listeners and connections.
