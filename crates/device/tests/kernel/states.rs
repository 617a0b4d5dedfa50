//! What the kernel says of its end while a connection opens, packet by packet.

use std::net::SocketAddr;

use handclasp_lab::isolated::in_namespace;
use handclasp_lab::lab::{OUR_IPV4, PEER_IPV4};
use handclasp_lab::server::{ListenOptions, listen};
use handclasp_lab::sock_diag::State;
use handclasp_wire::tcp::header::{Flags, Header};

use crate::host::{block_on, veth};

#[test]
fn the_kernel_tells_listen_half_open_open_and_reset() {
    in_namespace(|| {
        block_on(async {
            let (lab, mut host) = veth();
            let kernel: SocketAddr = (PEER_IPV4, 80).into();
            let ours: SocketAddr = (OUR_IPV4, 40_000).into();
            let _listener = listen(lab.peer(), kernel, &ListenOptions::default());
            let mut diag = lab.sock_diag().expect("sock_diag");
            let mut state = || diag.state(kernel, ours).expect("asked");
            assert_eq!(state(), State::Listen);

            let mut header = Header {
                src_port: 40_000,
                dst_port: 80,
                flags: Flags::SYN,
                window: 65_535,
                ..Header::default()
            };
            host.send(host.segment(&header, &[])).await.expect("sent");
            let (syn_ack, _) = host.find_segment().await;
            assert_eq!(syn_ack.flags, Flags::SYN | Flags::ACK);
            assert_eq!(state(), State::SynReceived);

            (header.seq, header.ack) = (syn_ack.ack, syn_ack.seq + 1);
            header.flags = Flags::ACK;
            host.send(host.segment(&header, &[])).await.expect("sent");
            assert_eq!(state(), State::Established);

            header.flags = Flags::RST;
            host.send(host.segment(&header, &[])).await.expect("sent");
            assert_eq!(state(), State::Listen);
        });
    });
}
