//! Segments as the language writes them.

use std::fmt;

use handclasp_wire::tcp::options::AccEcnOrder;
use handclasp_wire::tcp::raw::TcpOption;
use handclasp_wire::tcp::{Flags, TcpView};

use crate::script::Segment;

/// Letters of flags, in the order in which they are written.
const LETTERS: [(char, Flags); 9] = [
    ('F', Flags::FIN),
    ('S', Flags::SYN),
    ('R', Flags::RST),
    ('P', Flags::PSH),
    ('U', Flags::URG),
    ('E', Flags::ECE),
    ('W', Flags::CWR),
    ('A', Flags::AE),
    ('.', Flags::ACK),
];

impl Segment {
    /// The fields as they are written, each with its name. What is not told is empty.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, String); 6] {
        let end = self.seq.wrapping_add(u32::from(self.len));
        let number =
            |name, value: Option<u32>| value.map_or(String::new(), |n| format!("{name} {n}"));
        let urgent = (self.urgent > 0).then_some(u32::from(self.urgent));
        let options = match self.options.as_deref() {
            None => "<...>".to_owned(),
            Some([]) => String::new(),
            Some(bytes) => format!("<{}>", options_text(bytes)),
        };
        [
            ("flags", flags_text(self.flags, self.ace)),
            ("sequence numbers", format!("{}:{end}({})", self.seq, self.len)),
            ("ack", number("ack", self.ack)),
            ("window", number("win", self.window.map(u32::from))),
            ("urgent pointer", number("urg", urgent)),
            ("options", options),
        ]
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields();
        let told = fields.iter().map(|(_, text)| text.as_str()).filter(|text| !text.is_empty());
        f.write_str(&told.collect::<Vec<_>>().join(" "))
    }
}

fn flags_text(flags: Flags, ace: Option<u8>) -> String {
    let letters = LETTERS.iter().filter(|(_, flag)| flags.contains(*flag));
    let mut text: String = letters.map(|(letter, _)| letter).collect();
    text.extend(ace.map(|ace| char::from(b'0' + ace)));
    if text.is_empty() { "-".to_owned() } else { text }
}

/// Options' bytes by their names.
#[must_use]
pub fn options_text(bytes: &[u8]) -> String {
    // Only a header's options can be walked through, so this is one.
    let mut header = vec![0; 20];
    header[12] = ((20 + bytes.len()) / 4).min(15) as u8 * 16;
    header.extend_from_slice(bytes);
    let Ok(view) = TcpView::parse(&header) else { return hex(bytes) };
    let texts = view.options().map(|option| option.map_or("bad".to_owned(), option_text));
    texts.collect::<Vec<_>>().join(",")
}

fn option_text(option: TcpOption<'_>) -> String {
    match option {
        TcpOption::Nop => "nop".to_owned(),
        TcpOption::EndOfList { padding } => ["eol"].repeat(1 + padding.len()).join(","),
        TcpOption::Mss(mss) => format!("mss {mss}"),
        TcpOption::WindowScale(shift) => format!("wscale {shift}"),
        TcpOption::SackPermitted => "sackOK".to_owned(),
        TcpOption::Sack(blocks) => {
            blocks.as_slice().iter().fold("sack".to_owned(), |text, block| {
                format!("{text} {}:{}", block.left, block.right)
            })
        }
        TcpOption::Timestamps(ts) => format!("TS val {} ecr {}", ts.value, ts.echo),
        TcpOption::FastOpen(cookie) => {
            let name = if cookie.experimental { "FOEXP" } else { "FO" };
            format!("{name} {}", hex(cookie.as_slice())).trim_end().to_owned()
        }
        TcpOption::AccEcn(counts) => {
            let names = match counts.order {
                AccEcnOrder::Ect0First => ["e0b", "ceb", "e1b"],
                AccEcnOrder::Ect1First => ["e1b", "ceb", "e0b"],
            };
            let told = names.iter().zip(counts.counters).map_while(|(name, n)| Some((name, n?)));
            told.fold("ECN".to_owned(), |text, (name, n)| format!("{text} {name} {n}"))
        }
        TcpOption::Md5(data) => format!("md5 {}", hex(data)),
        other => format!("kind {}", other.kind()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
