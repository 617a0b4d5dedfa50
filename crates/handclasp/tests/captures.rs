//! What a stack of ours and the kernel say to each other, judged by tshark.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::programs::{Directory, output};
use common::transfer::{Opener, Sizes, exchange};
use common::{
    Link, addressed, be_dialled, blocking, dial, isolated, isolated_on, lab_and_device, peer, run,
    until,
};
use handclasp::Stack;
use handclasp::device::device::Device;
use handclasp::device::impaired::Impaired;
use handclasp::device::record::Recorder;
use handclasp::device::tap::Tapped;
use handclasp_impair::config::Config;
use handclasp_lab::isolated::Need;
use handclasp_lab::lab::Lab;
use handclasp_lab::server::ListenOptions;
use handclasp_lab::{serve, server::Server};
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A stack whose packets go to `file`, over a link that treats them badly or not.
fn recorded(link: Link, harm: Option<Config>, file: &Path) -> (Lab, Stack, Recorder<File>) {
    let (lab, device) = lab_and_device(link);
    let medium = device.capabilities().medium;
    let recorder = Recorder::new(File::create(file).unwrap(), medium, "test").unwrap();
    let device: Box<dyn Device> = match harm {
        // What it receives is recorded as it left the link, what it sends before it gets there.
        Some(harm) => Box::new(Impaired::new(device, harm.clone(), harm, 7).unwrap()),
        None => device,
    };
    let builder = Stack::builder(Tapped::new(device, recorder.clone()));
    (lab, addressed(builder).spawn().unwrap(), recorder)
}

/// What tshark says of the packets that `filter` lets through.
async fn tshark(file: &Path, filter: &str, field: &str) -> Vec<String> {
    let mut command = Command::new("tshark");
    // As it comes, whatever this user has set.
    command.env("WIRESHARK_CONFIG_DIR", "/nonexistent").arg("-n").arg("-r").arg(file);
    command.args(["-Y", filter, "-T", "fields", "-e", "frame.number", "-e", field]);
    for check in ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE"] {
        command.args(["-o", check]);
    }
    let told = String::from_utf8(output(command).await.stdout).unwrap();
    told.lines().map(str::to_owned).collect()
}

/// Nothing in the file is malformed, and every checksum is right.
async fn check(file: &Path) {
    let wrong = "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || \
                 udp.checksum.status == 0 || icmp.checksum.status == 0 || \
                 icmpv6.checksum.status == 0 || tcp.option.len.invalid";
    assert_eq!(tshark(file, wrong, "_ws.col.info").await, [""; 0]);
}

/// Every way in which a connection opens, talks and ends, with datagrams beside.
async fn a_session(lab: &Lab, stack: &Stack, v6: bool) {
    let sizes = Sizes { by_us: 500_000, by_kernel: 500_000 };
    exchange(lab, stack, v6, Opener::Us, sizes).await;
    let (stream, kernel) = be_dialled(lab, stack, v6).await;
    stream.abort();
    drop(kernel);
    let (mut stream, mut kernel) = dial(lab, stack, v6).await;
    stream.write_all(b"hello").await.unwrap();
    let reset = blocking(move || {
        kernel.read_exact(&mut [0; 5]).unwrap();
        kernel.write_all(b"and goodbye").unwrap();
        set_socket_linger(&kernel, Some(Duration::ZERO)).unwrap();
    });
    reset.await;
    until(|| stream.info().error.is_some()).await;
    stack.connect(peer(v6, 9)).await.unwrap_err();
    let socket = stack.bind_udp(common::ours(v6, 0)).unwrap();
    // Nobody is there: the kernel says so with an ICMP error that quotes this.
    socket.send_to(vec![7; 3000].into(), peer(v6, 9)).await.unwrap();
    socket.recv_from().await.unwrap_err();
}

async fn tshark_has_no_complaint(link: Link) {
    let directory = Directory::new();
    let file = directory.path().join("session.pcapng");
    let (lab, stack, recorder) = recorded(link, None, &file);
    a_session(&lab, &stack, false).await;
    a_session(&lab, &stack, true).await;
    stack.shutdown(Duration::from_secs(10)).await;
    let packets = recorder.finish().unwrap();
    assert_eq!(tshark(&file, "frame", "frame.number").await.len() as u64, packets);
    check(&file).await;
    // Nothing larger than the MTU, whatever the offload, and no gap in what was seen.
    let seen = "tcp && (ip.len > 1500 || ipv6.plen > 1460 || tcp.analysis.lost_segment || \
                tcp.analysis.ack_lost_segment)";
    assert_eq!(tshark(&file, seen, "_ws.col.info").await, [""; 0]);
    assert_eq!(tshark(&file, "tcp.flags.syn == 1 && tcp.flags.ack == 1", "ip.src").await.len(), 6);
}

#[test]
fn tshark_has_no_complaint_about_a_session_over_a_packet_socket() {
    let isolated = isolated().needs(Need::Program("tshark"));
    isolated.run(|| run(tshark_has_no_complaint(Link::Packet)));
}

#[test]
fn tshark_has_no_complaint_about_a_session_over_tun() {
    let isolated = isolated_on(Link::Tun).needs(Need::Program("tshark"));
    isolated.run(|| run(tshark_has_no_complaint(Link::Tun)));
}

#[test]
fn tshark_has_no_complaint_about_retransmissions_sack_and_reassembly() {
    isolated().needs(Need::Program("tshark")).run(|| {
        run(async {
            let directory = Directory::new();
            let file = directory.path().join("bad.pcapng");
            let harm = Config::with(|c| {
                c.loss = 0.02;
                c.reorder = 0.02;
                c.duplicate = 0.02;
            });
            let (lab, stack, recorder) = recorded(Link::Packet, Some(harm), &file);
            let sizes = Sizes { by_us: 1_000_000, by_kernel: 1_000_000 };
            exchange(&lab, &stack, false, Opener::Kernel, sizes).await;
            recorder.finish().unwrap();
            check(&file).await;
            let sack = tshark(&file, "tcp.options.sack_le && ip.src == 10.77.0.1", "ip.src").await;
            assert!(!sack.is_empty(), "we tell the kernel what is beyond a gap");
            assert!(!tshark(&file, "tcp.analysis.retransmission", "ip.src").await.is_empty());
        });
    });
}

#[test]
fn a_capture_holds_the_page_that_was_fetched() {
    isolated().needs(Need::Program("tshark")).run(|| {
        run(async {
            let directory = Directory::new();
            let file = directory.path().join("page.pcapng");
            let (lab, stack, recorder) = recorded(Link::Packet, None, &file);
            let page = serve::http("a page");
            let options = ListenOptions::default();
            let _server = Server::start(lab.peer(), peer(false, 80), &options, page).unwrap();
            let mut stream = stack.connect(peer(false, 80)).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: peer\r\n\r\n").await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
            drop(stream);
            stack.shutdown(Duration::from_secs(10)).await;
            recorder.finish().unwrap();
            check(&file).await;
            let uri = tshark(&file, "http.request", "http.request.full_uri").await;
            assert!(uri[0].ends_with("http://peer/"), "{uri:?}");
            let text = tshark(&file, "http.response", "http.file_data").await;
            assert!(text[0].contains("a page") || text[0].contains("612070616765"), "{text:?}");
        });
    });
}
