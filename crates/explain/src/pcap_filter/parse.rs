//! From text to tests. `and` and `or` bind alike, from left to right, as in libpcap.

use std::net::IpAddr;
use std::ops::Range;

use handclasp_wire::bpf;
use handclasp_wire::ethernet::MacAddr;

use super::lex::{Token, tokens};
use super::{Cause, Family, PcapFilterError, Primitive, Protocol, Relation, Result, Test, Value};
use super::{Way, names};

/// Parentheses within parentheses.
const MAX_DEPTH: usize = 64;

/// Reads a whole filter; none is there if the text is blank.
pub(super) fn filter(text: &str) -> Result<Option<Test>> {
    let mut parser = Parser { tokens: tokens(text), at: 0, depth: 0, last: None };
    if *parser.token() == Token::End {
        return Ok(None);
    }
    let test = parser.tests()?;
    match parser.token() {
        Token::End => Ok(Some(test)),
        _ => Err(parser.expected("and, or, or the end")),
    }
}

pub(super) struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    /// What a lone value inherits: `port 80 or 443`.
    last: Option<Qualifiers>,
}

/// The words before an address, a port or a number.
#[derive(Clone, Copy)]
struct Qualifiers {
    protocol: Option<Protocol>,
    way: Way,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Host,
    Net,
    Port,
    PortRange,
    Proto,
}

impl Parser {
    pub(super) fn token(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(0..0, |(_, span)| span.clone())
    }

    pub(super) fn expected(&self, what: &'static str) -> PcapFilterError {
        self.wrong(Cause::Expected(what))
    }

    pub(super) fn wrong(&self, cause: Cause) -> PcapFilterError {
        PcapFilterError { span: self.span(), cause }
    }

    /// Takes the next token if it is this sign or word.
    pub(super) fn takes(&mut self, what: &str) -> bool {
        let is = match self.token() {
            Token::Sign(sign) => *sign == what,
            Token::Word(word) => word == what,
            Token::End => false,
        };
        self.at += usize::from(is);
        is
    }

    pub(super) fn word(&self) -> Option<&str> {
        match self.token() {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(Cause::TooDeep));
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn tests(&mut self) -> Result<Test> {
        let mut left = self.one()?;
        loop {
            let and = self.takes("and") || self.takes("&&");
            let or = !and && (self.takes("or") || self.takes("||"));
            if !and && !or {
                return Ok(left);
            }
            let right = Box::new(self.one()?);
            left = match and {
                true => Test::And(Box::new(left), right),
                false => Test::Or(Box::new(left), right),
            };
        }
    }

    fn one(&mut self) -> Result<Test> {
        self.deeper(|parser| {
            if parser.takes("not") || parser.takes("!") {
                return Ok(Test::Not(Box::new(parser.one()?)));
            }
            let (start, depth) = (parser.at, parser.depth);
            if parser.begins_value() {
                // A parenthesis may hold a value or tests: what comes behind it tells.
                match parser.comparison() {
                    Ok(test) => return Ok(test),
                    Err(error) if *parser.tokens_at(start) != Token::Sign("(") => {
                        return Err(error);
                    }
                    Err(_) => (parser.at, parser.depth) = (start, depth),
                }
            }
            if !parser.takes("(") {
                return parser.primitive();
            }
            let test = parser.tests()?;
            match parser.takes(")") {
                true => Ok(test),
                false => Err(parser.expected("\")\"")),
            }
        })
    }

    fn tokens_at(&self, at: usize) -> &Token {
        self.tokens.get(at).map_or(&Token::End, |(token, _)| token)
    }

    /// Whether a number could stand here. A lone one that was qualified before is a port or an
    /// address, unless something is done with it.
    fn begins_value(&self) -> bool {
        let next = self.tokens_at(self.at + 1);
        match self.token() {
            Token::Sign(sign) => *sign == "(",
            Token::Word(word) if word == "len" => true,
            Token::Word(word) if names::protocol(word).is_some() => *next == Token::Sign("["),
            Token::Word(word) => {
                let value = names::number(word).or(names::constant(word));
                value.is_some() && matches!(next, Token::Sign(sign) if *sign != ")")
            }
            Token::End => false,
        }
    }

    fn comparison(&mut self) -> Result<Test> {
        let start = self.span().start;
        let left = self.value()?;
        let relation = match self.token() {
            Token::Sign("=" | "==") => Relation::Equal,
            Token::Sign("!=") => Relation::NotEqual,
            Token::Sign("<") => Relation::Less,
            Token::Sign("<=") => Relation::LessOrEqual,
            Token::Sign(">") => Relation::Greater,
            Token::Sign(">=") => Relation::GreaterOrEqual,
            _ => return Err(self.expected("a comparison like = or >")),
        };
        self.at += 1;
        let right = self.value()?;
        let span = start..self.tokens[self.at - 1].1.end;
        Ok(Test::Is(Primitive::Compare(left, relation, right), span))
    }

    fn primitive(&mut self) -> Result<Test> {
        let start = self.span();
        let primitive = self.unqualified()?;
        let primitive = match primitive {
            Some(primitive) => primitive,
            None => self.qualified()?,
        };
        let end = self.tokens[self.at.saturating_sub(1)].1.end;
        Ok(Test::Is(primitive, start.start..end))
    }

    /// Words that stand for themselves.
    fn unqualified(&mut self) -> Result<Option<Primitive>> {
        let Some(word) = self.word() else { return Err(self.expected("a test")) };
        let length = |relation, value| Primitive::Compare(Value::Length, relation, value);
        let primitive = match word {
            "vlan" => {
                self.at += 1;
                let id = self.word().and_then(names::number);
                self.at += usize::from(id.is_some());
                Primitive::Vlan(id.map(|id| id as u16 & 0x0fff))
            }
            "less" | "greater" => {
                let less = word == "less";
                self.at += 1;
                let Some(number) = self.word().and_then(names::number) else {
                    return Err(self.expected("a length in bytes"));
                };
                self.at += 1;
                let relation = if less { Relation::LessOrEqual } else { Relation::GreaterOrEqual };
                length(relation, Value::Constant(number))
            }
            "inbound" | "outbound" => {
                let out = word == "outbound";
                self.at += 1;
                Primitive::Outgoing(out)
            }
            "broadcast" => {
                self.at += 1;
                Primitive::Broadcast
            }
            "multicast" => {
                self.at += 1;
                Primitive::Multicast(None)
            }
            _ => return Ok(None),
        };
        Ok(Some(primitive))
    }

    fn qualified(&mut self) -> Result<Primitive> {
        let start = self.span();
        let protocol = self.word().and_then(names::protocol);
        self.at += usize::from(protocol.is_some());
        if let Some(protocol) = protocol
            && let Some(primitive) = self.cast_of(protocol)?
        {
            return Ok(primitive);
        }
        let way = self.way();
        let kind = self.kind();
        if let (Some(protocol), None, None) = (protocol, way, kind) {
            return match protocol {
                Protocol::Ether => Err(self.expected("host, src, dst or proto")),
                protocol => Ok(Primitive::Protocol(protocol)),
            };
        }
        let qualifiers = match (protocol, way, kind, self.last) {
            (None, None, None, Some(last)) if !self.is_strange() => last,
            (None, None, None, _) => return Err(self.strange(start)),
            _ => Qualifiers {
                protocol,
                way: way.unwrap_or(Way::Either),
                kind: kind.unwrap_or(Kind::Host),
            },
        };
        self.last = Some(qualifiers);
        self.named(qualifiers)
    }

    fn cast_of(&mut self, protocol: Protocol) -> Result<Option<Primitive>> {
        let family = match protocol {
            Protocol::Ip => Some(Family::V4),
            Protocol::Ip6 => Some(Family::V6),
            _ => None,
        };
        if protocol == Protocol::Ether && self.takes("broadcast") {
            return Ok(Some(Primitive::Broadcast));
        }
        if (protocol == Protocol::Ether || family.is_some()) && self.takes("multicast") {
            return Ok(Some(Primitive::Multicast(family)));
        }
        Ok(None)
    }

    fn way(&mut self) -> Option<Way> {
        let first = match self.word()? {
            "src" => Way::Src,
            "dst" => Way::Dst,
            _ => return None,
        };
        let other = if first == Way::Src { "dst" } else { "src" };
        self.at += 1;
        let second = matches!(self.tokens_at(self.at + 1), Token::Word(word) if word == other);
        let both = match self.word() {
            Some("or") if second => Way::Either,
            Some("and") if second => Way::Both,
            _ => return Some(first),
        };
        self.at += 2;
        Some(both)
    }

    fn kind(&mut self) -> Option<Kind> {
        let kind = match self.word()? {
            "host" => Kind::Host,
            "net" => Kind::Net,
            "port" => Kind::Port,
            "portrange" => Kind::PortRange,
            "proto" => Kind::Proto,
            _ => return None,
        };
        self.at += 1;
        Some(kind)
    }

    /// Whether here stands a word that is no value at all.
    fn is_strange(&self) -> bool {
        self.word().is_none_or(|word| {
            let known = names::port(word).is_some() || names::protocol(word).is_some();
            !known && !word.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':')
        })
    }

    fn strange(&self, span: Range<usize>) -> PcapFilterError {
        let Some(word) = self.word() else { return self.expected("a test") };
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.expected("host, net or port before this");
        }
        let nearest = names::nearest(word);
        PcapFilterError { span, cause: Cause::UnknownWord(word.into(), nearest) }
    }

    fn named(&mut self, Qualifiers { protocol, way, kind }: Qualifiers) -> Result<Primitive> {
        let wrong = |word: &'static str| PcapFilterError {
            span: self.span(),
            cause: Cause::Expected(word),
        };
        let Some(word) = self.word().map(str::to_owned) else {
            return Err(wrong(match kind {
                Kind::Host => "an address",
                Kind::Net => "a network like 10.0.0.0/8",
                Kind::Port => "a port",
                Kind::PortRange => "ports like 6000-6008",
                Kind::Proto => "a protocol",
            }));
        };
        let over_ip =
            matches!(protocol, None | Some(Protocol::Tcp | Protocol::Udp | Protocol::Sctp));
        let primitive = match kind {
            Kind::Host | Kind::Net if protocol == Some(Protocol::Ether) => {
                let Some(mac) = hardware(&word) else {
                    return Err(wrong("an address like 02:00:5e:10:00:01"));
                };
                Primitive::EtherHost(way, mac)
            }
            Kind::Host | Kind::Net if over_ip && protocol.is_some() => {
                return Err(wrong("a port: this protocol has no addresses of its own; it"));
            }
            Kind::Host => self.host(protocol, way, &word)?,
            Kind::Net => return self.net(protocol, way, &word),
            Kind::Port | Kind::PortRange if !over_ip => {
                return Err(wrong("tcp, udp or sctp before port; this"));
            }
            Kind::Port => {
                let unknown = || self.wrong(Cause::UnknownPort(word.clone()));
                let port = names::port(&word).ok_or_else(unknown)?;
                Primitive::Port(protocol, way, port..=port)
            }
            Kind::PortRange => {
                let Some((low, high)) = range(&word) else {
                    return Err(wrong("ports like 6000-6008"));
                };
                if low > high {
                    return Err(self.wrong(Cause::EmptyRange));
                }
                Primitive::Port(protocol, way, low..=high)
            }
            Kind::Proto => self.proto(protocol, &word)?,
        };
        self.at += 1;
        Ok(primitive)
    }

    fn host(&self, protocol: Option<Protocol>, way: Way, word: &str) -> Result<Primitive> {
        let address: IpAddr =
            word.parse().map_err(|_| self.wrong(Cause::HostName(word.to_owned())))?;
        self.fits(protocol, address)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        Ok(Primitive::Net(protocol, way, address, bits))
    }

    /// An address of the family that was asked for.
    fn fits(&self, protocol: Option<Protocol>, address: IpAddr) -> Result<()> {
        match (protocol, address) {
            (Some(Protocol::Ip6), IpAddr::V4(_)) => Err(self.expected("an IPv6 address")),
            (Some(Protocol::Ip | Protocol::Arp | Protocol::Rarp), IpAddr::V6(_)) => {
                Err(self.expected("an IPv4 address"))
            }
            _ => Ok(()),
        }
    }

    /// `10`, `10.1`, `10.1.2.0/24`, `10.1.0.0 mask 255.255.0.0`, `2001:db8::/32`.
    fn net(&mut self, protocol: Option<Protocol>, way: Way, word: &str) -> Result<Primitive> {
        let expected = || self.expected("a network like 10.0.0.0/8");
        let (text, bits) = match word.split_once('/') {
            Some((text, bits)) => (text, Some(bits.parse::<u8>().map_err(|_| expected())?)),
            None => (word, None),
        };
        let (address, implied) = network(text).ok_or_else(expected)?;
        self.fits(protocol, address)?;
        let behind = self.tokens_at(self.at + 1);
        let mask = bits.is_none() && matches!(behind, Token::Word(word) if word == "mask");
        let bits = match (bits, mask) {
            (Some(bits), _) => bits,
            (None, false) => implied,
            (None, true) => {
                self.at += 2;
                let mask = self.word().and_then(|word| word.parse::<std::net::Ipv4Addr>().ok());
                let mask = mask.map(|mask| mask.to_bits());
                let whole = mask.filter(|mask| mask.leading_ones() + mask.trailing_zeros() >= 32);
                let Some(mask) = whole else { return Err(self.expected("a mask like 255.0.0.0")) };
                mask.leading_ones() as u8
            }
        };
        let (number, width) = match address {
            IpAddr::V4(ip) => (u128::from(ip.to_bits()) << 96, 32),
            IpAddr::V6(ip) => (ip.to_bits(), 128),
        };
        if bits > width {
            return Err(self.expected("as many bits as an address has, or fewer,"));
        }
        if number.checked_shl(bits.into()).unwrap_or(0) != 0 {
            return Err(self.wrong(Cause::BitsBehindMask));
        }
        self.at += 1;
        Ok(Primitive::Net(protocol, way, address, bits))
    }

    fn proto(&self, protocol: Option<Protocol>, word: &str) -> Result<Primitive> {
        let named = match names::protocol(word) {
            Some(Protocol::Tcp) => Some(6),
            Some(Protocol::Udp) => Some(17),
            Some(Protocol::Icmp) => Some(1),
            Some(Protocol::Icmp6) => Some(58),
            Some(Protocol::Sctp) => Some(132),
            Some(Protocol::Ip) => Some(0x0800),
            Some(Protocol::Ip6) => Some(0x86dd),
            Some(Protocol::Arp) => Some(0x0806),
            Some(Protocol::Rarp) => Some(0x8035),
            _ => names::number(word),
        };
        let expected = || self.expected("a protocol's number or name");
        let number = named.ok_or_else(expected)?;
        let byte = u8::try_from(number).map_err(|_| expected());
        match protocol {
            Some(Protocol::Ether) => {
                Ok(Primitive::EtherType(u16::try_from(number).map_err(|_| expected())?))
            }
            None => Ok(Primitive::Number(None, byte?)),
            Some(Protocol::Ip) => Ok(Primitive::Number(Some(Family::V4), byte?)),
            Some(Protocol::Ip6) => Ok(Primitive::Number(Some(Family::V6), byte?)),
            Some(_) => Err(self.expected("ether, ip or ip6 before proto; this")),
        }
    }

    /// A value and what is done with it, as in C.
    fn value(&mut self) -> Result<Value> {
        super::value::value(self)
    }

    /// The index in brackets, and how many bytes there.
    pub(super) fn bytes(&mut self, protocol: Protocol) -> Result<Value> {
        let index = self.value()?;
        let mut size = 1;
        if self.takes(":") {
            size = match self.word().and_then(names::number) {
                Some(size @ (1 | 2 | 4)) => size as u8,
                _ => return Err(self.expected("1, 2 or 4")),
            };
            self.at += 1;
        }
        match self.takes("]") {
            true => Ok(Value::Bytes(protocol, Box::new(index), size)),
            false => Err(self.expected("\"]\"")),
        }
    }

    /// Takes the protocol of `tcp[`, with its bracket.
    pub(super) fn takes_header(&mut self) -> Option<Protocol> {
        let protocol = self.word().and_then(names::protocol)?;
        if *self.tokens_at(self.at + 1) != Token::Sign("[") {
            return None;
        }
        self.at += 2;
        Some(protocol)
    }

    pub(super) fn step(&mut self) {
        self.at += 1;
    }
}

/// Refuses to divide by what is certainly zero.
pub(super) fn is_zero(operation: u16, value: &Value) -> bool {
    matches!(operation, bpf::DIV | bpf::MOD) && matches!(value, Value::Constant(0))
}

fn range(word: &str) -> Option<(u16, u16)> {
    let (low, high) = word.split_once('-')?;
    Some((names::port(low)?, names::port(high)?))
}

fn hardware(word: &str) -> Option<MacAddr> {
    let mut bytes = [0; 6];
    let mut parts = word.split([':', '-', '.']);
    for byte in &mut bytes {
        let part = parts.next().filter(|part| (1..=2).contains(&part.len()))?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(MacAddr(bytes))
}

/// An address, or the first numbers of an IPv4 one, and how many bits these are.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    if text.contains(':') {
        return text.parse().ok().map(|address| (address, 128));
    }
    let parts: Vec<u8> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let mut octets = [0; 4];
    octets.get_mut(..parts.len())?.copy_from_slice(&parts);
    Some((IpAddr::from(octets), 8 * parts.len() as u8))
}
