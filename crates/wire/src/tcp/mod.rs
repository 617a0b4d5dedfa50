//! TCP headers (RFC 9293 §3.1) and their options.

pub mod emit;
pub mod header;
pub mod options;
pub mod raw;
pub mod view;

pub use header::{Flags, Header};
pub use options::Options;
pub use raw::TcpOption;
pub use view::TcpView;
