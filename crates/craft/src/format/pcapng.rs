//! A capture file.

use std::time::Duration;

use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};

use crate::dissect::Start;

/// Packets that begin with `start`, each with its time since 1970, as a capture file. `None`
/// for segments without addresses, which no link has.
#[must_use]
pub fn pcapng(packets: &[(Duration, Vec<u8>)], start: Start) -> Option<Vec<u8>> {
    let linktype = match start {
        Start::Ethernet => DataLink::ETHERNET,
        Start::Ip => DataLink::RAW,
        Start::Tcp => return None,
    };
    // Writing to memory does not fail.
    let mut file = PcapNgWriter::new(Vec::new()).ok()?;
    let resolution = InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO);
    let interface = InterfaceDescriptionBlock { linktype, snaplen: 0, options: vec![resolution] };
    file.write_pcapng_block(interface).ok()?;
    for (timestamp, packet) in packets {
        let block = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: *timestamp,
            original_len: packet.len() as u32,
            data: packet.into(),
            options: Vec::new(),
        };
        file.write_pcapng_block(block).ok()?;
    }
    Some(file.into_inner())
}
