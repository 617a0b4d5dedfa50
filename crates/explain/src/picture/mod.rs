//! Connections in pictures: the ladder, what was sent and acknowledged over time, and a page
//! with all of it.
//!
//! A [`course::Course`] keeps what a connection's pictures need, in bounded memory; [`ladder`]
//! and [`graph`] draw it as SVG, and [`page`] writes a page that works without a network.

pub mod course;
pub mod graph;
pub mod histogram;
pub mod ladder;
pub mod page;
mod svg;
mod thin;
