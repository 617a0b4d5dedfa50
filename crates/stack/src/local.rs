//! Local addresses, of which the unspecified one stands for all of its family.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The unspecified address of the same family.
pub(crate) const fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// The socket at the same port that stands for every address of the family.
pub(crate) const fn wildcard(local: SocketAddr) -> SocketAddr {
    SocketAddr::new(unspecified(local.ip()), local.port())
}

/// Whether something could arrive that is for both.
pub(crate) fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let any = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port() && a.is_ipv4() == b.is_ipv4() && (any || a.ip() == b.ip())
}
