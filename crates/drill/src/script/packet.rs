//! Packets: IP, TCP with its options, UDP and ICMP.

use handclasp_wire::ip::Ecn;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::tcp::options::{AccEcn, AccEcnOrder};
use handclasp_wire::tcp::options::{FastOpen, SackBlock, SackBlocks, Timestamps};
use handclasp_wire::tcp::raw::{TcpOption, kind};

use super::cursor::{Cursor, Result};
use super::lex::Kind;
use super::{About, Around, Body, Class, Direction, Icmp, IpInfo, Packet, Segment};

/// The most bytes of options that a TCP header holds.
const MAX_OPTIONS: usize = 40;

/// Letters of flags, as the language writes them.
const LETTERS: [(char, Flags); 8] = [
    ('F', Flags::FIN),
    ('S', Flags::SYN),
    ('R', Flags::RST),
    ('P', Flags::PSH),
    ('U', Flags::URG),
    ('E', Flags::ECE),
    ('W', Flags::CWR),
    ('A', Flags::AE),
];

impl Cursor<'_> {
    pub(super) fn packet(&mut self) -> Result<Packet> {
        let start = self.token().span.start;
        let direction = if self.is_sign('<') { Direction::In } else { Direction::Out };
        self.advance();
        let around = self.around()?;
        let at = self.token().span.start;
        let ip = self.ip_info()?;
        if ip.class == Class::Ect01 && direction == Direction::In {
            return self.fail_at(at, "ect01 says what is expected: only for packets sent");
        }
        let body = if self.eat_word("udp") {
            let ports = self.ports()?;
            self.sign('(')?;
            let len = self.u16("a payload length")?;
            self.sign(')')?;
            Body::Udp { ports, len }
        } else if self.eat_word("icmp") {
            Body::Icmp(self.icmp()?)
        } else {
            Body::Tcp(self.segment(direction)?)
        };
        Ok(Packet { direction, around, ip, body, text: self.since(start) })
    }

    /// Headers around the packet, each with a colon behind it.
    fn around(&mut self) -> Result<Vec<Around>> {
        let mut around = Vec::new();
        loop {
            let start = self.token().span.start;
            if self.eat_word("ipv4") || self.eat_word("ipv6") {
                self.ip_info()?;
                let from = self.address()?;
                self.sign('>')?;
                around.push(Around::Ip(from, self.address()?));
                self.sign(':')?;
            } else if self.is_word("gre") || self.is_word("GREv0") || self.is_word("mpls") {
                while !self.eat_sign(':') {
                    if *self.kind() == Kind::End {
                        return self.expected("`:` behind the header");
                    }
                    self.advance();
                }
                around.push(Around::Other(self.since(start)));
            } else {
                return Ok(around);
            }
        }
    }

    fn address(&mut self) -> Result<std::net::IpAddr> {
        let Kind::Address(address) = *self.kind() else { return self.expected("an IP address") };
        self.advance();
        Ok(address)
    }

    fn ip_info(&mut self) -> Result<IpInfo> {
        let close = match self.kind() {
            Kind::Sign('(') => ')',
            Kind::Sign('[') => ']',
            _ => return Ok(IpInfo::default()),
        };
        self.advance();
        let mut info = IpInfo::default();
        loop {
            match self.word("ECN bits, `tos`, `ttl` or `flowlabel`")?.as_str() {
                "noecn" => info.class = Class::Ecn(Ecn::NotEct),
                "ect0" => info.class = Class::Ecn(Ecn::Ect0),
                "ect1" => info.class = Class::Ecn(Ecn::Ect1),
                "ce" => info.class = Class::Ecn(Ecn::Ce),
                "ect01" => info.class = Class::Ect01,
                "tos" => info.class = Class::Whole(self.number("a traffic class", 0xff)? as u8),
                "ttl" => info.ttl = Some(self.number("a time to live", 0xff)? as u8),
                "flowlabel" => info.flow_label = Some(self.number("a flow label", 0xf_ffff)?),
                _ => {
                    self.at -= 1;
                    return self.expected("ECN bits, `tos`, `ttl` or `flowlabel`");
                }
            }
            if self.eat_sign(close) {
                return Ok(info);
            }
            self.sign(',')?;
        }
    }

    fn ports(&mut self) -> Result<Option<(u16, u16)>> {
        if !matches!(self.kind(), Kind::Int(_)) || *self.ahead(1) != Kind::Sign('>') {
            return Ok(None);
        }
        let from = self.u16("a port")?;
        self.sign('>')?;
        Ok(Some((from, self.u16("a port")?)))
    }

    fn segment(&mut self, direction: Direction) -> Result<Segment> {
        if self.is_word("encap") {
            return self.fail("PSP encapsulation is not supported");
        }
        let ports = self.ports()?;
        let (flags, ace) = self.flags()?;
        let (seq, len) = self.range()?;
        let ack = if self.eat_word("ack") { Some(self.number("an ack", u32::MAX)?) } else { None };
        let window = if self.eat_word("win") { Some(self.u16("a window")?) } else { None };
        if window.is_none() && direction == Direction::In {
            return self.expected("`win`, which a packet that is injected needs");
        }
        let urgent = if self.eat_word("urg") { self.u16("an urgent pointer")? } else { 0 };
        let options = self.options(direction)?;
        Ok(Segment { ports, flags, ace, seq, len, ack, window, urgent, options })
    }

    /// Letters, a dot for ACK, and the digit of ACE; `-` for none of them.
    fn flags(&mut self) -> Result<(Flags, Option<u8>)> {
        if self.eat_sign('-') {
            return Ok((Flags::empty(), None));
        }
        let mut flags = Flags::empty();
        let mut ace = None;
        let what = "flags, such as `S.` or `P.`";
        let start = self.token().span.start;
        if let Kind::Word(word) = self.kind().clone() {
            for letter in word.chars() {
                match (LETTERS.iter().find(|(known, _)| *known == letter), letter) {
                    (Some((_, flag)), _) => flags |= *flag,
                    (None, '0'..='7') => ace = letter.to_digit(8).map(|n| n as u8),
                    _ => return self.fail(format!("`{letter}` is no flag; {what}")),
                }
            }
            self.advance();
        } else if !matches!(self.kind(), Kind::Sign('.') | Kind::Float(_)) {
            return self.expected(what);
        }
        if self.eat_sign('.') {
            flags |= Flags::ACK;
        } else if matches!(self.kind(), Kind::Float(_)) {
            // A dot and a digit behind it.
            let digit = self.text().strip_prefix('.').and_then(|d| d.parse().ok());
            match digit.filter(|d| *d <= 7) {
                Some(digit) => ace = Some(digit),
                None => return self.fail_at(start, "ACE is one digit from 0 to 7"),
            }
            flags |= Flags::ACK;
            self.advance();
        }
        Ok((flags, ace))
    }

    /// `start:end(len)`.
    fn range(&mut self) -> Result<(u32, u16)> {
        let start = self.token().span.start;
        let from = self.number("a sequence number", u32::MAX)?;
        self.sign(':')?;
        let to = self.number("a sequence number", u32::MAX)?;
        self.sign('(')?;
        let len = self.u16("a payload length")?;
        self.sign(')')?;
        if from.wrapping_add(u32::from(len)) != to {
            let message = format!("{from} and {len} bytes do not make {to}");
            return self.fail_at(start, message);
        }
        Ok((from, len))
    }

    fn options(&mut self, direction: Direction) -> Result<Option<Vec<u8>>> {
        let start = self.token().span.start;
        // `<` also starts the next packet, but never without a time in front of it.
        if !self.eat_sign('<') {
            return Ok(Some(Vec::new()));
        }
        if *self.kind() == Kind::Ellipsis {
            self.advance();
            self.sign('>')?;
            return match direction {
                Direction::Out => Ok(None),
                Direction::In => self.fail_at(start, "<...> says what may come: not what goes in"),
            };
        }
        let mut bytes = Vec::new();
        loop {
            self.option(&mut bytes)?;
            if self.eat_sign('>') {
                break;
            }
            self.sign(',')?;
        }
        if bytes.len() % 4 != 0 {
            let message = format!("options of {} bytes: no multiple of four", bytes.len());
            return self.fail_at(start, message);
        }
        if bytes.len() > MAX_OPTIONS {
            let message = format!("options of {} bytes: 40 at most", bytes.len());
            return self.fail_at(start, message);
        }
        Ok(Some(bytes))
    }

    fn option(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        let what = "a TCP option: mss, wscale, sackOK, sack, TS, FO, FOEXP, ECN, md5, nop or eol";
        let data;
        let option = match self.word(what)?.as_str() {
            "nop" => TcpOption::Nop,
            "eol" => TcpOption::EndOfList { padding: &[] },
            "sackOK" => TcpOption::SackPermitted,
            "mss" => TcpOption::Mss(self.u16("an mss")?),
            "wscale" => TcpOption::WindowScale(self.number("a shift", 0xff)? as u8),
            "TS" => TcpOption::Timestamps(self.timestamps()?),
            "sack" => TcpOption::Sack(self.sack()?),
            "ECN" => TcpOption::AccEcn(self.acc_ecn()?),
            "md5" => {
                data = self.hex()?;
                TcpOption::Md5(&data)
            }
            "FO" => {
                data = self.hex()?;
                let unusual = TcpOption::Unknown { kind: kind::FAST_OPEN, data: &data };
                FastOpen::new(&data, false).map_or(unusual, TcpOption::FastOpen)
            }
            "FOEXP" => {
                data = [vec![0xf9, 0x89], self.hex()?].concat();
                TcpOption::Unknown { kind: kind::EXPERIMENT, data: &data }
            }
            _ => {
                self.at -= 1;
                return self.expected(what);
            }
        };
        option.emit(bytes);
        Ok(())
    }

    fn timestamps(&mut self) -> Result<Timestamps> {
        let mut field = |name: &str| {
            if !self.eat_word(name) {
                return self.expected(&format!("`{name}`"));
            }
            self.number("a timestamp", u32::MAX)
        };
        Ok(Timestamps { value: field("val")?, echo: field("ecr")? })
    }

    fn sack(&mut self) -> Result<SackBlocks> {
        let mut blocks = SackBlocks::new();
        while blocks.is_empty() || matches!(self.kind(), Kind::Int(_)) {
            let left = SeqNumber(self.number("a block `left:right`", u32::MAX)?);
            self.sign(':')?;
            let right = SeqNumber(self.number("the block's right edge", u32::MAX)?);
            if !blocks.push(SackBlock { left, right }) {
                return self.fail("a header holds four blocks at most");
            }
        }
        Ok(blocks)
    }

    fn acc_ecn(&mut self) -> Result<AccEcn> {
        let (order, names) = if self.is_word("e1b") {
            (AccEcnOrder::Ect1First, ["e1b", "ceb", "e0b"])
        } else {
            (AccEcnOrder::Ect0First, ["e0b", "ceb", "e1b"])
        };
        let mut counters = [None; 3];
        for (name, counter) in names.iter().zip(&mut counters) {
            if !self.eat_word(name) {
                break;
            }
            *counter = Some(self.number("a byte counter", 0xff_ffff)?);
        }
        if counters[0].is_none() {
            return self.expected("`e0b` or `e1b`");
        }
        Ok(AccEcn { order, counters })
    }

    /// Bytes in hex, of which there may be none.
    fn hex(&mut self) -> Result<Vec<u8>> {
        let (Kind::Word(_) | Kind::Int(_)) = self.kind() else { return Ok(Vec::new()) };
        // The word, unless a symbol stands in for it.
        let digits = match self.kind() {
            Kind::Word(word) => word.clone(),
            _ => self.text().to_owned(),
        };
        let pairs = digits.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        match pairs.collect() {
            Some(bytes) => {
                self.advance();
                Ok(bytes)
            }
            None => self.expected("pairs of hex digits"),
        }
    }

    fn icmp(&mut self) -> Result<Icmp> {
        let kind = self.word("an ICMP type")?;
        let code = match self.kind() {
            Kind::Word(word) if !["mtu", "id"].contains(&word.as_str()) => Some(word.clone()),
            _ => None,
        };
        self.at += usize::from(code.is_some());
        let mtu = if self.eat_word("mtu") { Some(self.number("an MTU", u32::MAX)?) } else { None };
        let id = if self.eat_word("id") { Some(self.u16("an identifier")?) } else { None };
        let about = self.about()?;
        Ok(Icmp { kind, code, mtu, id, about })
    }

    fn about(&mut self) -> Result<About> {
        if !self.eat_sign('[') {
            return Ok(About::Tcp(0, 0));
        }
        let about = if self.eat_word("udp") {
            About::Udp(self.in_parentheses()?)
        } else if self.eat_word("raw") {
            About::Raw(self.in_parentheses()?)
        } else {
            let (seq, len) = self.range()?;
            About::Tcp(seq, len)
        };
        self.sign(']')?;
        Ok(about)
    }

    fn in_parentheses(&mut self) -> Result<u16> {
        self.sign('(')?;
        let len = self.u16("a length")?;
        self.sign(')')?;
        Ok(len)
    }
}
