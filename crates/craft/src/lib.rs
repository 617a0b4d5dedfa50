//! TCP packets made by hand, matched and taken apart; conversations of them; without I/O.
//!
//! A [`template::Template`] says what is wanted of a packet: to build one, or to match others
//! against it. [`text`] reads and prints it; [`mod@format`] shows a packet in the forms that
//! people and programs want; [`decode`] takes bytes apart and says what is wrong with them;
//! [`conversation`] carries several packets on as one connection.
//!
//! Time and randomness are arguments, always.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods)]

pub mod conversation;
pub mod decode;
pub mod dissect;
pub mod field;
pub mod format;
pub mod template;
pub mod text;
