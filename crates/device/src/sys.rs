//! The system calls that `rustix` has no safe function for.
//!
//! All `unsafe` of this crate stands here, behind functions that are safe to call.

use std::ffi::CStr;
use std::io;
use std::mem::{size_of, zeroed};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use libc::{c_int, c_ulong, c_void, ifreq, sock_filter, sockaddr_ll, socklen_t};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Has the tokio runtime of this thread watch `fd`, which must not block.
pub(crate) fn register(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open, and stays open and the same as long as it is owned, which
    // the `AsyncFd` does from here on.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}

/// Reads once from `fd` into the spare capacity of `buffer` and says how many bytes.
pub(crate) fn read_into_spare(fd: impl AsFd, buffer: &mut BytesMut) -> Result<usize, Errno> {
    let (read, _) = rustix::io::read(fd, buffer.spare_capacity_mut())?;
    let len = read.len();
    // SAFETY: `read` is the initialised beginning of the spare capacity, which begins at the
    // buffer's length.
    unsafe { buffer.set_len(buffer.len() + len) };
    Ok(len)
}

/// An interface's name, in the form that the kernel's structures have it.
#[derive(Clone, Copy)]
struct Name([libc::c_char; libc::IFNAMSIZ]);

impl Name {
    fn new(name: &str) -> io::Result<Self> {
        let mut chars = [0; libc::IFNAMSIZ];
        if name.len() >= chars.len() || name.contains(['\0', '/']) {
            let text = format!("{name:?} cannot be an interface's name (1 to 15 bytes)");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        for (to, from) in chars.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        Ok(Self(chars))
    }

    fn request(self) -> ifreq {
        // SAFETY: all of it is integers, for which zero is a value.
        let mut request: ifreq = unsafe { zeroed() };
        request.ifr_name = self.0;
        request
    }
}

fn name_of(request: &ifreq) -> String {
    let bytes = request.ifr_name.map(|c| c as u8);
    let name = CStr::from_bytes_until_nul(&bytes).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// An `ioctl` whose argument is a `struct ifreq`.
fn ioctl_ifreq(fd: impl AsFd, operation: c_ulong, request: &mut ifreq) -> io::Result<()> {
    // SAFETY: each caller's operation reads and writes a `struct ifreq`, which `request`
    // points to for the time of the call.
    let result = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), operation as _, request) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Attaches `fd` (`/dev/net/tun`) to the TUN interface `name`, or to a new one if there is none
/// of that name, and returns its name, which the kernel chooses where `name` is empty.
pub(crate) fn tun_attach(fd: impl AsFd, name: &str, flags: c_int) -> io::Result<String> {
    let mut request = Name::new(name)?.request();
    // The field has sixteen bits, and IFF_MULTI_QUEUE and its like are defined to fit.
    request.ifr_ifru.ifru_flags = flags as libc::c_short;
    ioctl_ifreq(fd, libc::TUNSETIFF as c_ulong, &mut request)?;
    Ok(name_of(&request))
}

/// The name and the `IFF_` flags of the TUN interface behind `fd`.
pub(crate) fn tun_interface(fd: impl AsFd) -> io::Result<(String, c_int)> {
    let mut request = Name::new("")?.request();
    ioctl_ifreq(fd, libc::TUNGETIFF as c_ulong, &mut request)?;
    // SAFETY: the kernel answered by filling in this member.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    Ok((name_of(&request), c_int::from(flags as u16)))
}

/// Says which offloads (`TUN_F_`) the reader of a TUN interface understands.
pub(crate) fn tun_set_offload(fd: impl AsFd, offloads: libc::c_uint) -> io::Result<()> {
    let operation = libc::TUNSETOFFLOAD as c_ulong;
    let argument = c_ulong::from(offloads);
    // SAFETY: this operation takes its argument by value.
    let result = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), operation as _, argument) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Sets the length of the virtio-net header before each packet of a TUN interface.
pub(crate) fn tun_set_header_len(fd: impl AsFd, len: c_int) -> io::Result<()> {
    let operation = libc::TUNSETVNETHDRSZ as c_ulong;
    // SAFETY: this operation reads an int, which `len` is for the time of the call.
    let result = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), operation as _, &len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Bytes of the largest IP packet on the interface `name`, asked through any `socket`.
pub(crate) fn interface_mtu(socket: impl AsFd, name: &str) -> io::Result<usize> {
    let mut request = Name::new(name)?.request();
    ioctl_ifreq(socket, libc::SIOCGIFMTU, &mut request)?;
    // SAFETY: the kernel answered by filling in this member.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    Ok(usize::try_from(mtu).unwrap_or_default())
}

/// The kind of hardware (`ARPHRD_`) of the interface `name`, asked through any `socket`.
pub(crate) fn interface_hardware(socket: impl AsFd, name: &str) -> io::Result<u16> {
    let mut request = Name::new(name)?.request();
    ioctl_ifreq(socket, libc::SIOCGIFHWADDR, &mut request)?;
    // SAFETY: the kernel answered by filling in this member.
    Ok(unsafe { request.ifr_ifru.ifru_hwaddr.sa_family })
}

/// An address of an interface, as the kernel's list has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assigned {
    /// The hardware address.
    Hardware([u8; 6]),
    /// An IP address, and the bits of its mask.
    Ip(IpAddr, u32),
}

/// The addresses of the interface `name`.
pub(crate) fn interface_addresses(name: &str) -> io::Result<Vec<Assigned>> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: the call writes a pointer to `list`, which outlives it.
    if unsafe { libc::getifaddrs(&mut list) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next: *const libc::ifaddrs = list;
    // SAFETY: what is not null points to an entry of the list, which is freed below.
    while let Some(entry) = unsafe { next.as_ref() } {
        next = entry.ifa_next;
        // SAFETY: each entry has a name that ends with a zero.
        let of = unsafe { CStr::from_ptr(entry.ifa_name) };
        if of.to_bytes() == name.as_bytes() {
            // SAFETY: an entry's addresses are null or whole, and of the family that they tell.
            found.extend(unsafe { assigned(entry.ifa_addr, entry.ifa_netmask) });
        }
    }
    // SAFETY: `list` is what the call above gave, and nothing refers to it any more.
    unsafe { libc::freeifaddrs(list) };
    Ok(found)
}

/// Reads an address and its mask.
///
/// # Safety
///
/// Each is null or points to an address of the size that its family has.
unsafe fn assigned(
    address: *const libc::sockaddr,
    mask: *const libc::sockaddr,
) -> Option<Assigned> {
    // SAFETY: the caller's.
    let ip = |at: *const libc::sockaddr| unsafe {
        match c_int::from(at.as_ref()?.sa_family) {
            libc::AF_INET => {
                let bytes = (*at.cast::<libc::sockaddr_in>()).sin_addr.s_addr.to_ne_bytes();
                Some(IpAddr::from(bytes))
            }
            libc::AF_INET6 => {
                Some(IpAddr::from((*at.cast::<libc::sockaddr_in6>()).sin6_addr.s6_addr))
            }
            _ => None,
        }
    };
    // SAFETY: the caller's.
    let family = unsafe { address.as_ref()?.sa_family };
    if c_int::from(family) == libc::AF_PACKET {
        // SAFETY: the caller's, of this family.
        let link = unsafe { &*address.cast::<sockaddr_ll>() };
        let [a, b, c, d, e, f, ..] = link.sll_addr;
        return (link.sll_halen == 6).then_some(Assigned::Hardware([a, b, c, d, e, f]));
    }
    let bits = match ip(mask) {
        Some(IpAddr::V4(mask)) => u32::from(mask).leading_ones(),
        Some(IpAddr::V6(mask)) => u128::from(mask).leading_ones(),
        None => return None,
    };
    ip(address).map(|address| Assigned::Ip(address, bits))
}

/// Binds a packet socket to an interface, for all protocols.
pub(crate) fn bind_packet(socket: impl AsFd, index: u32) -> io::Result<()> {
    // SAFETY: all of it is integers, for which zero is a value.
    let mut address: sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index.cast_signed();
    let pointer = (&raw const address).cast();
    let len = size_of::<sockaddr_ll>() as socklen_t;
    // SAFETY: `pointer` and `len` are those of `address`, which outlives the call.
    let result = unsafe { libc::bind(socket.as_fd().as_raw_fd(), pointer, len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What the kernel says of a packet beside its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    /// When it passed, if the socket was told to [stamp](stamp_packets) its packets.
    pub(crate) at: Option<SystemTime>,
    /// It left the interface.
    pub(crate) outgoing: bool,
}

/// Room for one control message with a time in it, aligned as such a message is.
#[repr(C, align(8))]
struct Control([u8; 64]);

/// Receives a packet from a packet socket into the spare capacity of `buffer`.
pub(crate) fn receive_captured(socket: impl AsFd, buffer: &mut BytesMut) -> Result<Meta, Errno> {
    let spare = buffer.spare_capacity_mut();
    let mut slice = libc::iovec { iov_base: spare.as_mut_ptr().cast(), iov_len: spare.len() };
    // SAFETY: all of it is integers, for which zero is a value.
    let mut from: sockaddr_ll = unsafe { zeroed() };
    let mut control = Control([0; 64]);
    // SAFETY: all of it is integers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_name = (&raw mut from).cast();
    message.msg_namelen = size_of::<sockaddr_ll>() as socklen_t;
    message.msg_iov = &raw mut slice;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control.0).cast();
    message.msg_controllen = control.0.len() as _;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: every pointer in `message` is to something of the length beside it that outlives
    // the call.
    let received = unsafe { libc::recvmsg(fd, &mut message, libc::MSG_DONTWAIT) };
    let Ok(len) = usize::try_from(received) else {
        return Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO));
    };
    // SAFETY: the kernel wrote so many bytes to the beginning of the spare capacity, which
    // begins at the buffer's length. Without MSG_TRUNC it says no more than it wrote.
    unsafe { buffer.set_len(buffer.len() + len) };
    Ok(Meta { at: timestamp(&message), outgoing: from.sll_pkttype == libc::PACKET_OUTGOING })
}

/// The time in a received message's control messages.
fn timestamp(message: &libc::msghdr) -> Option<SystemTime> {
    // SAFETY: `message` is as `recvmsg` left it, with its control buffer alive and aligned.
    let header = unsafe { libc::CMSG_FIRSTHDR(message) };
    if header.is_null() {
        return None;
    }
    // SAFETY: what is not null points to a whole header within that buffer.
    let kind = unsafe { ((*header).cmsg_level, (*header).cmsg_type) };
    if kind != (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS) {
        return None;
    }
    // SAFETY: behind a header of this type, the kernel wrote a whole `timespec`; it may stand
    // at any address.
    let time = unsafe { libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned() };
    let since = Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Has the kernel say of each received packet when it passed.
pub(crate) fn stamp_packets(socket: impl AsFd) -> io::Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1)
}

/// A value that a socket option is made of.
///
/// # Safety
///
/// Every byte of it is initialised: no padding.
unsafe trait OptionValue {}

// SAFETY: an integer has no padding.
unsafe impl OptionValue for c_int {}
// SAFETY: a 4-byte, two 2-byte and eight 1-byte members, in this order.
unsafe impl OptionValue for libc::packet_mreq {}

fn set_option<T: OptionValue>(
    socket: impl AsFd,
    level: c_int,
    option: c_int,
    value: &T,
) -> io::Result<()> {
    let pointer: *const c_void = (&raw const *value).cast();
    let len = size_of::<T>() as socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `pointer` and `len` are those of `value`, whose bytes are all initialised.
    let result = unsafe { libc::setsockopt(fd, level, option, pointer, len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Switches an option of a packet socket on.
pub(crate) fn packet_option(socket: impl AsFd, option: c_int) -> io::Result<()> {
    set_option(socket, libc::SOL_PACKET, option, &1)
}

/// Has the interface `index` accept packets of a kind (`PACKET_MR_`) for as long as the packet
/// socket is open.
pub(crate) fn packet_membership(
    socket: impl AsFd,
    index: u32,
    kind: c_int,
    address: [u8; 6],
) -> io::Result<()> {
    let mut mr_address = [0; 8];
    mr_address[..6].copy_from_slice(&address);
    let membership = libc::packet_mreq {
        mr_ifindex: index.cast_signed(),
        mr_type: kind as u16,
        mr_alen: 6,
        mr_address,
    };
    set_option(socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)
}

/// Has the kernel hand a socket only those packets that a classic BPF program accepts.
pub(crate) fn attach_filter(socket: impl AsFd, program: &mut [sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let description = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    let pointer: *const c_void = (&raw const description).cast();
    let size = size_of::<libc::sock_fprog>() as socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `pointer` and `size` are those of `description`, which tells address and length
    // of `program`; both outlive the call, in which the kernel copies the program.
    let result =
        unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, pointer, size) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Packets that a packet socket let go since it was last asked, for want of buffer.
pub(crate) fn packet_drops(socket: impl AsFd) -> io::Result<u32> {
    let mut stats = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut len = size_of::<libc::tpacket_stats>() as socklen_t;
    let pointer: *mut c_void = (&raw mut stats).cast();
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `pointer` and `len` are those of `stats`, which outlives the call.
    let result = unsafe {
        libc::getsockopt(fd, libc::SOL_PACKET, libc::PACKET_STATISTICS, pointer, &mut len)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(stats.tp_drops) }
}
