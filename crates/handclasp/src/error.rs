//! Our errors as `io::Error`s: the kind that the standard library's sockets would give, our
//! own error as source.

use std::io;

use handclasp_stack::listen::ListenError;
use handclasp_stack::open::ConnectError;
use handclasp_stack::udp::BindError;
use handclasp_tcp::connection::{Error, PathError};

/// A connection's error as tokio programs expect it.
pub(crate) fn io_error(error: Error) -> io::Error {
    let kind = match error {
        Error::Refused => io::ErrorKind::ConnectionRefused,
        Error::Reset => io::ErrorKind::ConnectionReset,
        Error::HandshakeTimedOut | Error::TimedOut | Error::KeepAliveTimedOut => {
            io::ErrorKind::TimedOut
        }
        Error::Unreachable(PathError::NoRoute) => io::ErrorKind::NetworkUnreachable,
        Error::Unreachable(PathError::Prohibited) => io::ErrorKind::PermissionDenied,
        Error::Unreachable(_) => io::ErrorKind::HostUnreachable,
        Error::Aborted => io::ErrorKind::ConnectionAborted,
        Error::Closed => io::ErrorKind::BrokenPipe,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// The stack's driver is gone: its device failed or it was shut down.
pub(crate) fn stack_is_gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the stack was shut down")
}

pub(crate) fn connect_error(error: ConnectError) -> io::Error {
    let kind = match error {
        ConnectError::NotUnicast => io::ErrorKind::InvalidInput,
        ConnectError::NoRoute => io::ErrorKind::NetworkUnreachable,
        ConnectError::NotOurs | ConnectError::NoFreePort => io::ErrorKind::AddrNotAvailable,
        ConnectError::InUse => io::ErrorKind::AddrInUse,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

pub(crate) fn listen_error(error: ListenError) -> io::Error {
    let kind = match error {
        ListenError::InUse => io::ErrorKind::AddrInUse,
        _ => io::ErrorKind::AddrNotAvailable,
    };
    io::Error::new(kind, error)
}

pub(crate) fn bind_error(error: BindError) -> io::Error {
    let kind = match error {
        BindError::InUse => io::ErrorKind::AddrInUse,
        _ => io::ErrorKind::AddrNotAvailable,
    };
    io::Error::new(kind, error)
}
