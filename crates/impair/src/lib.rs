//! A link that delays, limits, queues, loses, reorders, duplicates and corrupts, without I/O.
