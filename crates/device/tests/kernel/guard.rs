//! The kernel's resets, held back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use handclasp_device::guard::Guard;
use handclasp_device::packet::PacketSocket;
use handclasp_lab::isolated::{in_namespace, skip};
use handclasp_lab::lab::{OUR_IPV4, PEER_IPV4};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::header::{Flags, Header};

use crate::host::{Host, block_on, veth};

/// Nobody listens here.
const CLOSED: u16 = 81;

/// Tells a child process which port's resets to hold back.
const CHILD: &str = "HANDCLASP_GUARD_CHILD";

fn ends(port: u16) -> (SocketAddr, SocketAddr) {
    ((PEER_IPV4, CLOSED).into(), (OUR_IPV4, port).into())
}

/// Sends a SYN from each port to one that is closed, and says which is reset first.
async fn first_reset(host: &mut Host<PacketSocket>, ports: &[u16]) -> u16 {
    for src_port in ports {
        let seq = SeqNumber(7);
        let (src_port, dst_port) = (*src_port, CLOSED);
        let syn = Header { src_port, dst_port, seq, flags: Flags::SYN, ..Header::default() };
        host.send(host.segment(&syn, &[])).await.expect("sent");
    }
    let (reset, _) = host.find_segment().await;
    assert_eq!(reset.flags, Flags::RST | Flags::ACK);
    reset.dst_port
}

/// A guard in the kernel's namespace, unless that has no nftables.
fn guard(lab: &handclasp_lab::lab::Lab, test: &str) -> Option<Guard> {
    match lab.peer().run(Guard::open).expect("entered") {
        Ok(guard) => Some(guard),
        Err(error) => {
            skip(test, error);
            None
        }
    }
}

#[test]
fn the_kernel_resets_nothing_that_is_guarded_and_everything_else() {
    in_namespace(|| {
        block_on(async {
            let (lab, mut host) = veth();
            assert_eq!(first_reset(&mut host, &[5]).await, 5);
            let Some(mut guard) = guard(&lab, "the_kernel_resets_nothing_that_is_guarded") else {
                return;
            };
            let (local, remote) = ends(5);
            guard.cover(local, remote).expect("covered");
            assert_eq!(first_reset(&mut host, &[5, 6]).await, 6);
            assert_eq!(guard.held_back().expect("told"), 1);
            let (local, remote) = ends(6);
            guard.cover(local, remote).expect("covered");
            assert_eq!(first_reset(&mut host, &[5, 6, 7]).await, 7);
            assert_eq!(guard.held_back().expect("told"), 3);
            drop(guard);
            assert_eq!(first_reset(&mut host, &[5]).await, 5);
        });
    });
}

#[test]
fn two_guards_know_nothing_of_each_other() {
    in_namespace(|| {
        block_on(async {
            let (lab, mut host) = veth();
            let test = "two_guards_know_nothing_of_each_other";
            let (Some(mut first), Some(mut second)) = (guard(&lab, test), guard(&lab, test)) else {
                return;
            };
            first.cover(ends(5).0, ends(5).1).expect("covered");
            second.cover(ends(6).0, ends(6).1).expect("covered");
            drop(first);
            assert_eq!(first_reset(&mut host, &[6, 5]).await, 5);
        });
    });
}

#[test]
fn sockets_of_two_families_are_refused() {
    in_namespace(|| {
        let Ok(mut guard) = Guard::open() else {
            return skip("sockets_of_two_families_are_refused", "nftables");
        };
        let remote = "[fd77::2]:80".parse().expect("an address");
        let error = guard.cover(ends(5).0, remote).expect_err("refused");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    });
}

#[test]
fn a_guard_goes_away_with_a_process_that_is_killed() {
    if std::env::var_os(CHILD).is_some() {
        return hold_until_killed();
    }
    in_namespace(|| {
        block_on(async {
            let (lab, mut host) = veth();
            let test = "guard::a_guard_goes_away_with_a_process_that_is_killed";
            let Some(_) = guard(&lab, test) else { return };
            let mut command: Command = lab.command("/proc/self/exe").expect("a command");
            command.args([test, "--exact", "--nocapture"]).env(CHILD, "5");
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().expect("started");
            let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
            let ready = lines.by_ref().any(|line| line.is_ok_and(|line| line.ends_with("covered")));
            assert!(ready, "the child has no guard");
            assert_eq!(first_reset(&mut host, &[5, 6]).await, 6);
            child.kill().expect("killed");
            child.wait().expect("gone");
            assert_eq!(first_reset(&mut host, &[5, 6]).await, 5);
        });
    });
}

fn hold_until_killed() {
    let mut guard = Guard::open().expect("a guard");
    guard.cover(ends(5).0, ends(5).1).expect("covered");
    println!("covered");
    std::io::stdout().flush().expect("told");
    // The other end of this pipe is the parent's, which never writes.
    let _ = std::io::stdin().read(&mut [0]);
}
