//! Parsers: they take anything, and what they print they read again.

use handclasp_craft::decode::{decode, read_bytes};
use handclasp_craft::dissect::Start;
use handclasp_craft::template::Template;
use handclasp_drill::Script;
use handclasp_explain::capture::Reader;
use handclasp_explain::capture::dissect::{Dissector, Found};
use handclasp_explain::filter::Filter;
use handclasp_explain::finding::find;
use handclasp_explain::flow::table::{Limits, Table};
use handclasp_wire::frame::Medium;
use handclasp_wire::notation::{Base, Segment, read_options};
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::tcp::{Header, Options, TcpView};

/// Frames and IP packets.
pub(super) fn packet(bytes: &[u8]) {
    for medium in [Medium::Ip, Medium::Ethernet] {
        let Ok(packet) = Packet::parse(medium, bytes) else { continue };
        let _ = packet.addresses();
        if let Transport::Tcp(tcp) = packet.transport {
            segment(&tcp);
        }
    }
    for start in [Start::Ip, Start::Ethernet] {
        let decoded = decode(bytes, start);
        let _ = (decoded.to_string(), decoded.json());
    }
}

fn segment(tcp: &TcpView<'_>) {
    let line = Segment::of(tcp);
    let _ = line.display(Base::ABSOLUTE).to_string();
    let header = tcp.to_header();
    // The way that is quick for the usual options leads to the same as the long one.
    let options: Options = tcp.options().map_while(Result::ok).collect();
    assert_eq!(header.options, options);
    // What does not fit once the options are aligned is left out, and then all of it is said.
    let once = said_again(&header);
    assert_eq!(said_again(&once), once);
    if let Ok(raw) = tcp.to_raw() {
        let mut same = Vec::new();
        raw.emit(&mut same);
        assert_eq!(same.len(), usize::from(tcp.data_offset()) * 4);
    }
}

/// The header as whoever receives it understands it.
fn said_again(header: &Header) -> Header {
    let mut bytes = Vec::new();
    header.emit(&mut bytes);
    assert_eq!(bytes.len(), header.emitted_len());
    TcpView::parse(&bytes).expect("our own header").to_header()
}

/// A TCP header whose options are these bytes.
pub(super) fn options(bytes: &[u8]) {
    let options = &bytes[..bytes.len().min(40)];
    let words = options.len().div_ceil(4);
    let mut header = vec![0; 20];
    header[12] = ((5 + words) << 4) as u8;
    header.extend_from_slice(options);
    header.resize(20 + 4 * words, 0);
    let view = TcpView::parse(&header).expect("the length is right");
    let listed = view.options().take_while(Result::is_ok).count();
    assert!(listed <= options.len() + 4);
    segment(&view);
}

/// A segment's line, and a list of options.
pub(super) fn notation(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let base = Base::default();
    if let Ok(segment) = Segment::read(&text, base) {
        let printed = segment.display(base).to_string();
        let again = Segment::read(&printed, base).expect("what we print we read");
        assert_eq!(again, segment, "{printed}");
    }
    let _ = read_options(&text, base);
}

/// A capture file of either kind, its connections and its findings.
pub(super) fn capture(bytes: &[u8]) {
    let Ok(mut reader) = Reader::new(bytes) else { return };
    let mut dissector = Dissector::default();
    let mut table = Table::new(Limits::default());
    // A broken file ends here, and says where.
    while let Ok(Some(frame)) = reader.next() {
        match dissector.dissect(&frame) {
            Found::Segment(segment) => drop(table.see(&segment)),
            Found::Complaint(complaint) => table.complain(&complaint),
            _ => {}
        }
    }
    let _ = find(&table.finish());
}

/// A display filter.
pub(super) fn filter(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = Filter::parse(&text) {
        let _ = error.to_string();
    }
}

/// A packetdrill script; it is not run.
pub(super) fn script(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = Script::parse(&text) {
        let _ = error.to_string();
    }
}

/// A packet in words.
pub(super) fn craft(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match text.parse::<Template>() {
        Ok(template) => {
            let printed = template.to_string();
            assert_eq!(printed.parse(), Ok(template), "{printed}");
        }
        Err(error) => drop((error.to_string(), error.under(&text))),
    }
}

/// Bytes in any of the forms that are pasted.
pub(super) fn hex(bytes: &[u8]) {
    let Ok(packets) = read_bytes(bytes) else { return };
    for bytes in packets {
        packet(&bytes);
    }
}
