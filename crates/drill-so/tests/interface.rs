//! The table of calls as C uses it. There is one host in a process, so this is one test.
#![cfg(target_os = "linux")]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use handclasp_drill_so::{Interface, interpose, packetdrill_interface_init};
use handclasp_wire::checksum::{pseudo_header, sum};
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::tcp::view::RawHeader;

const LOCAL: [u8; 4] = [192, 168, 0, 1];
const REMOTE: [u8; 4] = [192, 0, 2, 1];

struct C(Interface);

impl C {
    fn new() -> Self {
        let mut table = MaybeUninit::uninit();
        // SAFETY: there are no flags, and the table is filled in by the call.
        unsafe {
            packetdrill_interface_init(null(), table.as_mut_ptr());
            Self(table.assume_init())
        }
    }

    fn address(port: u16) -> libc::sockaddr_in {
        libc::sockaddr_in {
            sin_family: libc::AF_INET as u16,
            sin_port: port.to_be(),
            sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(LOCAL) },
            sin_zero: [0; 8],
        }
    }

    fn micros(&self) -> i64 {
        let mut now = libc::timeval { tv_sec: 0, tv_usec: 0 };
        // SAFETY: the time is ours.
        unsafe { (self.0.gettimeofday)(null_mut(), &raw mut now, null_mut()) };
        now.tv_sec * 1_000_000 + now.tv_usec
    }

    fn inject(&self, packet: &[u8]) {
        // SAFETY: the packet is ours.
        unsafe { (self.0.netdev_send)(null_mut(), packet.as_ptr().cast(), packet.len()) };
    }

    /// The next packet that the host sends.
    fn receive(&self) -> Vec<u8> {
        let (mut buffer, mut at) = (vec![0u8; 65_536], 0);
        let mut len = buffer.len();
        let pointer: *mut c_void = buffer.as_mut_ptr().cast();
        // SAFETY: all three are ours.
        unsafe { (self.0.netdev_receive)(null_mut(), pointer, &raw mut len, &raw mut at) };
        buffer.truncate(len);
        buffer
    }
}

fn segment(seq: u32, ack: u32, flags: Flags, payload: usize) -> Vec<u8> {
    let mut tcp = Vec::new();
    RawHeader {
        src_port: 40_000,
        dst_port: 8080,
        seq: SeqNumber(seq),
        ack: SeqNumber(ack),
        reserved: 0,
        flags,
        window: 30_000,
        checksum: 0,
        urgent: 0,
        options: Default::default(),
    }
    .emit(&mut tcp);
    tcp.resize(tcp.len() + payload, 0);
    let (src, dst) = (REMOTE.into(), LOCAL.into());
    let sum =
        pseudo_header(REMOTE.into(), LOCAL.into(), protocol::TCP, tcp.len() as u32) + sum(&tcp);
    tcp[16..18].copy_from_slice(&sum.finish().to_be_bytes());
    let mut packet = Vec::new();
    Ipv4::new(src, dst, protocol::TCP).emit(tcp.len(), &mut packet);
    packet.extend(tcp);
    packet
}

fn seq(packet: &[u8]) -> u32 {
    match Packet::parse_ip(packet).expect("a packet").transport {
        Transport::Tcp(tcp) => tcp.seq().0,
        other => panic!("{other:?}"),
    }
}

/// `tcpi_state` as `getsockopt` tells it.
fn state(fd: c_int) -> u8 {
    let mut info = [0u8; 280];
    let mut len = info.len() as u32;
    let (level, name) = (libc::IPPROTO_TCP, libc::TCP_INFO);
    // SAFETY: the buffer is ours, and so long.
    let result =
        unsafe { interpose::getsockopt(fd, level, name, info.as_mut_ptr().cast(), &raw mut len) };
    assert_eq!((result, len), (0, 280));
    info[0]
}

#[test]
fn a_connection_is_accepted_by_a_call_that_blocks_and_time_is_virtual() {
    let c = C::new();
    let (address, u) = (C::address(8080), null_mut());
    let len = size_of_val(&address) as u32;
    // SAFETY: addresses are ours, here and below.
    let listener = unsafe {
        let fd = (c.0.socket)(u, libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_TCP);
        assert_eq!((c.0.bind)(u, fd, (&raw const address).cast(), len), 0);
        assert_eq!((c.0.listen)(u, fd, 1), 0);
        fd
    };
    assert_eq!(state(listener), 10);
    let accept = c.0.accept;
    let now = c.0.gettimeofday;
    let (tell, accepted) = channel();
    let thread = thread::spawn(move || {
        let mut peer = C::address(0);
        let (mut len, mut end) = (16, libc::timeval { tv_sec: 0, tv_usec: 0 });
        // SAFETY: all of it is this thread's.
        let fd = unsafe {
            let fd = accept(null_mut(), listener, (&raw mut peer).cast(), &raw mut len);
            now(null_mut(), &raw mut end, null_mut());
            fd
        };
        tell.send((fd, u16::from_be(peer.sin_port), end.tv_sec * 1_000_000 + end.tv_usec)).unwrap();
    });
    // Packetdrill sees the thread sleep; here it is enough that it had the time to.
    while accepted.recv_timeout(Duration::from_millis(50)).is_ok() {}
    let before = c.micros();
    // SAFETY: nothing is handed over.
    unsafe { (c.0.usleep)(u, 60_000_000) };
    c.inject(&segment(100, 0, Flags::SYN, 0));
    let isn = seq(&c.receive());
    c.inject(&segment(101, isn + 1, Flags::ACK, 0));
    let (fd, port, end) = accepted.recv().unwrap();
    thread.join().unwrap();
    assert_eq!((port, state(fd)), (40_000, 1));
    assert!((60_000_000..60_001_000).contains(&(end - before)), "{end} {before}");

    c.inject(&segment(101, isn + 1, Flags::ACK | Flags::PSH, 500));
    let mut buffer = [1u8; 1000];
    // SAFETY: the buffer is ours.
    let n = unsafe { (c.0.read)(u, fd, buffer.as_mut_ptr().cast(), buffer.len()) };
    assert_eq!((n, buffer[499], buffer[500]), (500, 0, 1));
    // SAFETY: a null pointer is what this is about.
    let n = unsafe { (c.0.read)(u, fd, null_mut(), 10) };
    assert_eq!((n, std::io::Error::last_os_error().raw_os_error()), (-1, Some(libc::EFAULT)));
    // SAFETY: nothing is handed over.
    unsafe {
        assert_eq!((c.0.close)(u, fd), 0);
        assert_eq!((c.0.close)(u, fd), -1);
    }
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EBADF));
}
