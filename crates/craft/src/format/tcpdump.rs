//! The line that tcpdump prints.

use std::fmt::Write;
use std::net::IpAddr;

use handclasp_wire::notation::Base;
use handclasp_wire::tcp::{Flags, TcpOption, TcpView};

use crate::dissect::{Start, dissect};

/// What `tcpdump -t -nn -S` prints of a TCP packet. Of another one, or of options that tcpdump
/// takes apart and this does not, it tells only how long they are.
#[must_use]
pub fn tcpdump(bytes: &[u8], start: Start) -> String {
    let (layout, errors) = dissect(bytes, start);
    let segment = layout.segment(bytes).map(TcpView::parse);
    let Some(Ok(tcp)) = segment else {
        return match errors.first() {
            Some(error) => format!("[{error}]"),
            None => format!("no TCP, length {}", bytes.len()),
        };
    };
    let mut line = match layout.addresses(bytes) {
        Some((src, dst)) => {
            let ip = if matches!(src, IpAddr::V4(_)) { "IP" } else { "IP6" };
            format!("{ip} {src}.{} > {dst}.{}: ", tcp.src_port(), tcp.dst_port())
        }
        None => format!("{} > {}: ", tcp.src_port(), tcp.dst_port()),
    };
    let (flags, seq, len) = (tcp.flags(), tcp.seq(), tcp.payload().len());
    let _ = write!(line, "Flags [{flags}]");
    if len > 0 {
        let _ = write!(line, ", seq {seq}:{}", seq + len as u32);
    } else if flags.intersects(Flags::SYN | Flags::FIN | Flags::RST) {
        let _ = write!(line, ", seq {seq}");
    }
    if flags.contains(Flags::ACK) {
        let _ = write!(line, ", ack {}", tcp.ack());
    }
    let _ = write!(line, ", win {}", tcp.window());
    if flags.contains(Flags::URG) {
        let _ = write!(line, ", urg {}", tcp.urgent());
    }
    let options: Vec<_> = tcp.options().map_while(Result::ok).map(option).collect();
    if !options.is_empty() {
        let _ = write!(line, ", options [{}]", options.join(","));
    }
    let _ = write!(line, ", length {len}");
    line
}

fn option(option: TcpOption<'_>) -> String {
    match option {
        TcpOption::EndOfList { .. } => "eol".to_owned(),
        TcpOption::FastOpen(_) => {
            let text = option.display(Base::ABSOLUTE).to_string();
            // In the experimental form there is one space.
            if text.starts_with("tfo") { text.replacen(' ', "  ", 1) } else { text }
        }
        TcpOption::AccEcn(_) | TcpOption::Unknown { .. } => {
            let mut bytes = Vec::new();
            option.emit(&mut bytes);
            match bytes.get(2..) {
                Some(data) if !data.is_empty() => {
                    format!("unknown-{} 0x{}", option.kind(), super::Hex(data))
                }
                _ => format!("unknown-{}", option.kind()),
            }
        }
        _ => option.display(Base::ABSOLUTE).to_string(),
    }
}
