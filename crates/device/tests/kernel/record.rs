//! Recordings of packets that the kernel took part in.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;

use bytes::Bytes;
use handclasp_device::device::Device;
use handclasp_device::record::Recorder;
use handclasp_device::tap::Tapped;
use handclasp_lab::isolated::{Isolated, Need};
use handclasp_lab::lab::{Lab, OUR_INTERFACE, PEER_INTERFACE};
use handclasp_wire::frame::Outbound;

use crate::host::{Host, block_on, tun, veth};

/// A file that is gone when this is.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Records a connection with large segments both ways.
async fn record<D: Device>(lab: &Lab, host: Host<D>, interface: &str) -> File {
    let path = std::env::temp_dir().join(format!("handclasp-{}.pcapng", std::process::id()));
    let file = File(path);
    let writer = fs::File::create(&file.0).expect("a file");
    let medium = host.device.capabilities().medium;
    let recorder = Recorder::new(writer, medium, interface).expect("a recording");
    let mut host = Host::new(Tapped::new(host.device, recorder.clone()));
    let (mut stream, ours) = host.accept(lab).await;
    let large = host.segment(&ours, &[Bytes::from(vec![7; 20_000])]);
    host.send(Outbound { segment_size: Some(1460), ..large }).await.expect("sent");
    stream.read_exact(&mut [0; 20_000]).expect("read");
    stream.write_all(&[8; 10_000]).expect("written");
    while host.find_segment().await.1.segment_size.is_none() {}
    assert!(recorder.finish().expect("written") > 20);
    file
}

/// What tshark says of each packet that `filter` lets through.
fn tshark(file: &File, filter: &str, fields: &[&str]) -> String {
    let mut command = Command::new("tshark");
    // As it comes, whatever this user has set.
    command.env("WIRESHARK_CONFIG_DIR", "/nonexistent").arg("-n");
    command.arg("-r").arg(&file.0).args(["-Y", filter, "-T", "fields"]);
    for check in ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE"] {
        command.args(["-o", check]);
    }
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn check(file: &File, interface: &str) {
    let wrong = "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0";
    assert_eq!(tshark(file, wrong, &["frame.number", "_ws.col.info"]), "");
    assert_eq!(tshark(file, "tcp.len > 1460", &["tcp.len"]), "");
    let ours = tshark(file, "tcp.srcport == 80 && tcp.len > 0", &["tcp.len", "frame.packet_flags"]);
    assert_eq!(ours.lines().count(), 14, "{ours}");
    assert!(ours.lines().all(|line| line.ends_with("0x00000002")), "{ours}");
    let theirs = tshark(file, "tcp.dstport == 80", &["frame.packet_flags", "frame.interface_name"]);
    let theirs: Vec<_> = theirs.lines().collect();
    let expected = format!("0x00000001\t{interface}");
    assert!(theirs.len() > 3 && theirs.iter().all(|line| **line == expected), "{theirs:?}");
}

#[test]
fn tshark_reads_a_recording_of_a_packet_socket_without_complaint() {
    Isolated::new().needs(Need::Program("tshark")).run(|| {
        block_on(async {
            let (lab, host) = veth();
            check(&record(&lab, host, OUR_INTERFACE).await, OUR_INTERFACE);
        });
    });
}

#[test]
fn tshark_reads_a_recording_of_a_tun_interface_without_complaint() {
    Isolated::new().needs(Need::Program("tshark")).needs(Need::Tun).run(|| {
        block_on(async {
            let (lab, host) = tun();
            check(&record(&lab, host, PEER_INTERFACE).await, PEER_INTERFACE);
        });
    });
}
