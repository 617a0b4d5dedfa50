//! Fast Open (RFC 7413): what a host knows of a server, and what a handshake taught it.

use handclasp_wire::tcp::options::FastOpen;

/// What a client's host knows of the server that it opens to fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The server's cookie; a request for one, and no data in the SYN, where it is empty
    /// (RFC 7413 §4.2.1).
    pub cookie: FastOpen,
    /// The MSS that came with the cookie, or 536 (§4.2.2): in bytes, options included.
    pub mss: u16,
}

/// What a handshake taught the client about its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// This is good for the next time; `taken` if data of this SYN was.
    Remember {
        /// The cookie and the MSS.
        known: Known,
        /// Whether the server took data with the SYN.
        taken: bool,
    },
    /// The server did not take the data, or gave no cookie (RFC 7413 §4.1.3.1).
    Refused,
    /// The SYN timed out: something on the path may drop what it does not know (§4.1.3.1).
    TimedOut,
}

/// Fast Open's part in a connection whose handshake is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A client that says so in its SYN, with so many bytes of data.
    Asks { known: Known, sent: u32 },
    /// A client that is done with it.
    Learned(Lesson),
    /// A server that took the data of the SYN, and gives a newer cookie if the client's was
    /// about to expire.
    Serves { renewed: Option<FastOpen> },
}
