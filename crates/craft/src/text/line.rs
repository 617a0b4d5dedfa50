//! Reading a whole packet from one line.

use std::ops::Range;
use std::str::FromStr;

use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::notation::{Base, read_options};

use super::pair::{Pair, read_socket};
use super::{Problem, SpecError, value};
use crate::field::{Family, Field};
use crate::template::{Payload, Template};

impl FromStr for Template {
    type Err = SpecError;

    /// Reads what a template prints, what [`wire::notation`](handclasp_wire::notation) prints
    /// and what tcpdump prints, with `-n` and with or without `-v`: two sockets around a `>`,
    /// the flags in brackets, options in angle brackets or behind `options` in square ones, and
    /// pairs of name and value as [`Pair::read`] has them, in any order; text in quotes is the
    /// payload. What stands in front of tcpdump's `IP`, and behind its `length n:`, is left out.
    /// Of a ladder's row the segment is read, with the options and the payload that it shows.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let text = text.get(..end(text)).unwrap_or_default();
        let mut line = Line { text, at: 0, template: Self::default() };
        if !line.link()? {
            line.at = start(text);
        }
        while line.part()? {}
        Ok(line.template)
    }
}

/// Letters of an Ethernet address.
const MAC_LEN: usize = 17;

/// What stands between the two ends in a row of a ladder.
const ARROWS: [&str; 4] = ["──▶", "◀──", "──✗", "✗──"];

/// Whether a line is a row of a ladder: a segment between two ends.
#[must_use]
pub fn is_row(line: &str) -> bool {
    behind_arrow(line).is_some()
}

/// Where an arrow ends, if there is one.
fn behind_arrow(text: &str) -> Option<usize> {
    // Payload may have anything in it.
    let text = text.split('"').next().unwrap_or_default();
    ARROWS.into_iter().find_map(|arrow| text.find(arrow).map(|at| at + arrow.len()))
}

/// Where the other end's state begins that a ladder tells behind a segment, if there is one.
fn end(text: &str) -> usize {
    let row = text.trim_end().trim_end_matches(['•', '~', '?']).trim_end();
    let at = row.rfind(' ').map_or(0, |space| space + 1);
    let state = row.get(at..).unwrap_or_default();
    let letters = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    let is_state = state.len() >= 6 && state.chars().all(letters);
    if behind_arrow(text).is_some_and(|from| from < at) && is_state { at } else { text.len() }
}

/// Where a row's arrow, or tcpdump's time and interface end, if there are any.
fn start(text: &str) -> usize {
    if let Some(at) = behind_arrow(text) {
        return at;
    }
    let front = text.find(['>', '[']).unwrap_or(text.len());
    let front = text.get(..front).unwrap_or_default();
    let at = |word| front.rfind(word).map(|at: usize| at + 1);
    at(" IP ").or_else(|| at(" IP6 ")).unwrap_or(0)
}

struct Line<'t> {
    text: &'t str,
    at: usize,
    template: Template,
}

impl<'t> Line<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes everything up to one of `ends`.
    fn until(&mut self, ends: &[char]) -> (&'t str, Range<usize>) {
        let rest = self.rest();
        let len = rest.find(ends).unwrap_or(rest.len());
        let span = self.at..self.at + len;
        self.at = span.end;
        (rest.get(..len).unwrap_or_default(), span)
    }

    fn skip(&mut self, these: &[char]) {
        self.at = self.text.len() - self.rest().trim_start_matches(these).len();
    }

    /// Takes what stands between these brackets, of which the first comes next.
    fn bracket(&mut self, [open, close]: [char; 2]) -> Result<(&'t str, Range<usize>), SpecError> {
        let error = |at, what| Err(SpecError::new(at..at, Problem::Expected(what)));
        if !self.rest().starts_with(open) {
            return error(self.at, "an opening bracket");
        }
        self.at += 1;
        let (inside, span) = self.until(&[close]);
        if self.rest().is_empty() {
            return error(span.end, "a closing bracket");
        }
        self.at += 1;
        Ok((inside, span))
    }

    /// Reads the link's header that tcpdump tells with `-e`, if there is one:
    /// `02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 58: vlan 5, p 0,
    /// ethertype IPv4 (0x0800), `.
    fn link(&mut self) -> Result<bool, SpecError> {
        let Some((front, behind)) = self.text.split_once(" > ") else { return Ok(false) };
        let named = front.strip_suffix(')').and_then(|front| front.rsplit_once(" (oui "));
        let src = named.map_or(front, |(src, _)| src);
        let src_at = src.rfind(' ').map_or(0, |space| space + 1);
        let dst_at = self.text.len() - behind.len();
        let (src, dst) = (src_at..src.len(), dst_at..dst_at + MAC_LEN);
        let is_mac = |span: &Range<usize>| {
            self.text.get(span.clone()).is_some_and(|text| text.parse::<MacAddr>().is_ok())
        };
        if !is_mac(&src) || !is_mac(&dst) {
            return Ok(false);
        }
        for (field, span) in [(Field::EthSrc, src), (Field::EthDst, dst.clone())] {
            let text = self.text.get(span.clone()).unwrap_or_default();
            let pair = self.read(field.name(), text, span.clone(), span.clone())?;
            self.apply(pair, span)?;
        }
        self.at = dst.end;
        self.tags()?;
        Ok(true)
    }

    /// Reads what stands between the link's addresses and the IP header.
    fn tags(&mut self) -> Result<(), SpecError> {
        let mut tags =
            [["vlan", "vlan-priority", "vlan-dei"], ["vlan2", "vlan2-priority", "vlan2-dei"]]
                .into_iter();
        let mut tag = ["vlan"; 3];
        loop {
            self.skip(&[' ', ',', ':']);
            let at = self.at;
            let (word, _) = self.until(&[' ', ',']);
            let name = match word {
                "ethertype" | "(oui" => {
                    self.until(&[',']);
                    continue;
                }
                "length" => {
                    self.until(&[':']);
                    continue;
                }
                "DEI" => {
                    let pair = Pair::read(tag[2], "1").map_err(|e| e.behind(at))?;
                    self.apply(pair, at..self.at)?;
                    continue;
                }
                "vlan" => {
                    tag = tags.next().unwrap_or(tag);
                    tag[0]
                }
                "p" => tag[1],
                _ => {
                    self.at = at;
                    return Ok(());
                }
            };
            let (text, span) = self.value()?;
            let pair = self.read(name, text, at..at + word.len(), span.clone())?;
            self.apply(pair, span)?;
        }
    }

    /// Reads the next part; says whether there was one.
    fn part(&mut self) -> Result<bool, SpecError> {
        self.skip(&[' ', ',', ':', '\t', '\n', '\r']);
        let rest = self.rest();
        match rest.chars().next() {
            None => return Ok(false),
            Some('<') => self.options(['<', '>'])?,
            Some('(') => self.group()?,
            Some('"') => self.quoted()?,
            // `[fd00::1]:80` is no list of flags.
            Some('[') if !rest.split_once(']').is_some_and(|(_, b)| b.starts_with(':')) => {
                let (letters, span) = self.bracket(['[', ']'])?;
                let (setting, _) =
                    value::read(Field::Flags, letters).map_err(|e| e.behind(span.start))?;
                self.template.set(Field::Flags, setting);
            }
            Some(_) => self.word()?,
        }
        Ok(true)
    }

    fn word(&mut self) -> Result<(), SpecError> {
        let (word, span) = self.until(&[' ', ',', '\t', '\n', '\r']);
        if let Some(rest) = self.rest().trim_start().strip_prefix('>') {
            self.at = self.text.len() - rest.len();
            self.skip(&[' ']);
            let (to, to_span) = self.until(&[' ', ',', '\t', '\n', '\r']);
            self.socket("src", word, &span)?;
            return self.socket("dst", to.trim_end_matches(':'), &to_span);
        }
        match word {
            "IP" => self.apply(Pair::Family(Family::V4), span)?,
            "IP6" => self.apply(Pair::Family(Family::V6), span)?,
            "Flags" => {}
            "options" => {
                self.skip(&[' ']);
                self.options(['[', ']'])?;
            }
            "mss" | "ws" | "sack" | "dsack" => self.option_word(word)?,
            // A ladder says only that there is urgent data.
            "urg" if !self.rest().trim_start().starts_with(|c: char| c.is_ascii_alphanumeric()) => {
            }
            name => self.pair(name, span)?,
        }
        Ok(())
    }

    /// Reads an option as a ladder has it: `mss 1460`, `ws 7`, `sack 5-9`.
    fn option_word(&mut self, name: &str) -> Result<(), SpecError> {
        let (value, value_span) = self.value()?;
        let text = match (name, value.split_once('-')) {
            ("mss", _) => format!("mss {value}"),
            ("ws", _) => format!("wscale {value}"),
            (_, Some((left, right))) => format!("sack 1 {{{left}:{right}}}"),
            (_, None) => {
                let problem = Problem::Expected("a range of numbers, like 5-9");
                return Err(SpecError::new(value_span, problem));
            }
        };
        let Ok(option) = read_options(&text, Base::ABSOLUTE) else {
            return Err(SpecError::new(value_span, Problem::Expected("a number that fits")));
        };
        self.template.options.get_or_insert_default().extend(option);
        Ok(())
    }

    /// Reads payload in quotes. A row shows no more than the beginning of what it tells the
    /// length of.
    fn quoted(&mut self) -> Result<(), SpecError> {
        let (text, span) = self.value()?;
        let pair = self.read("data", text, span.clone(), span.clone())?;
        match (&self.template.payload, &pair) {
            (Some(Payload::Len(len)), Pair::Payload(Payload::Bytes(bytes)))
                if bytes.len() != *len =>
            {
                Ok(())
            }
            _ => self.apply(pair, span),
        }
    }

    fn socket(&mut self, name: &str, text: &str, span: &Range<usize>) -> Result<(), SpecError> {
        let fields = match name {
            "src" => [Field::Src, Field::SrcPort],
            _ => [Field::Dst, Field::DstPort],
        };
        let socket = read_socket(text).map_err(|e| e.behind(span.start))?;
        self.apply(Pair::Socket(fields, socket), span.clone())
    }

    fn options(&mut self, brackets: [char; 2]) -> Result<(), SpecError> {
        let (list, span) = self.bracket(brackets)?;
        let pair = self.read("options", list, 0..0, span.clone())?;
        self.apply(pair, span)
    }

    /// Takes a value: up to the next space or comma, or between quotes.
    fn value(&mut self) -> Result<(&'t str, Range<usize>), SpecError> {
        self.skip(&[' ']);
        let Some(quoted) = self.rest().strip_prefix('"') else {
            return Ok(self.until(&[' ', ',', '\t', '\n', '\r']));
        };
        let mut escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let span = self.at + 1..self.at + 1 + end.unwrap_or(quoted.len());
        if end.is_none() {
            let problem = Problem::Expected("a closing \"");
            return Err(SpecError::new(span.end..span.end, problem));
        }
        self.at = span.end + 1;
        Ok((self.text.get(span.clone()).unwrap_or_default(), span))
    }

    fn pair(&mut self, name: &'t str, name_span: Range<usize>) -> Result<(), SpecError> {
        let (mut text, mut span) = self.value()?;
        if name == "win" && self.rest().trim_start().starts_with('(') {
            // The field, which a ladder tells behind what it amounts to: `65408 (511<<7)`.
            self.skip(&[' ', '(']);
            (text, span) = self.until(&['<', ')']);
            self.until(&[')']);
            self.skip(&[')']);
        }
        let text = match (name, text.split_once(':')) {
            ("seq", Some((from, to))) => {
                let to_span = span.start + from.len() + 1..span.end;
                self.payload_up_to(from, to, to_span)?;
                from
            }
            // What tcpdump found in the payload follows.
            ("length", Some((len, _))) => {
                self.at = self.text.len();
                len
            }
            _ => text,
        };
        let pair = self.read(name, text, name_span, span.clone())?;
        self.apply(pair, span)?;
        if name == "cksum" && self.rest().starts_with(" (") {
            self.at += 1;
            self.bracket(['(', ')'])?;
        }
        Ok(())
    }

    /// Takes the length of the payload from tcpdump's `seq 1:6`: five bytes from 1 on.
    fn payload_up_to(&mut self, from: &str, to: &str, span: Range<usize>) -> Result<(), SpecError> {
        let maximum = u32::MAX.into();
        let number = |text| value::number_up_to(maximum, text, "a number");
        let to = number(to).map_err(|e| e.behind(span.start))? as u32;
        // What is wrong with the first number is told when it is read as a field.
        let len = to.wrapping_sub(number(from).unwrap_or_default() as u32);
        if len > 0xffff {
            let problem = Problem::Expected("a number up to 65535 behind the first");
            return Err(SpecError::new(span, problem));
        }
        self.apply(Pair::Payload(Payload::Len(len as usize)), span)
    }

    /// Reads what `-v` tells of the IP header: `(tos 0x0, ttl 64, id 1, offset 0, flags [DF],
    /// proto TCP (6), length 44)`.
    fn group(&mut self) -> Result<(), SpecError> {
        self.at += 1;
        loop {
            self.skip(&[' ', ',', ')']);
            let (name, span) = self.until(&[' ', ',', ')', '\n']);
            self.skip(&[' ']);
            if name == "options" {
                self.bracket(['(', ')'])?;
            } else if name == "CE" || name.starts_with("ECT(") {
                // What `tos` said already.
                self.skip(&[')']);
            } else if name == "flags" {
                let (flags, span) = self.bracket(['[', ']'])?;
                for (field, sign) in [(Field::DontFragment, "DF"), (Field::MoreFragments, "+")] {
                    let pair = Pair::Field(field, flags.contains(sign).into(), None);
                    self.apply(pair, span.clone())?;
                }
            } else {
                self.group_pair(name, span)?;
            }
            if self.rest().is_empty() || self.rest().starts_with([')', '\n']) {
                self.at = self.text.len().min(self.at + 1);
                return Ok(());
            }
        }
    }

    fn group_pair(&mut self, name: &str, span: Range<usize>) -> Result<(), SpecError> {
        let name = match name {
            "offset" => "frag-offset",
            "length" => "total-len",
            "class" => "tos",
            "payload" => "payload-len",
            "next-header" => "proto",
            other => other,
        };
        if name == "payload-len" {
            self.until(&[':']);
            self.skip(&[':', ' ']);
        }
        if name == "proto" {
            // A name, and the number in parentheses.
            self.until(&['(', ',', '\n']);
            self.skip(&['(']);
        }
        let (text, value_span) = self.until(&[',', ')', '\n']);
        let pair = match text.parse::<u16>() {
            // tcpdump tells it in bytes.
            Ok(bytes) if name == "frag-offset" => {
                Pair::Field(Field::FragmentOffset, (bytes / 8).into(), None)
            }
            _ => self.read(name, text, span, value_span.clone())?,
        };
        if name == "proto" {
            self.skip(&[')']);
        }
        self.apply(pair, value_span)
    }

    /// Reads a pair whose name and value stand at these places.
    fn read(
        &self,
        name: &str,
        text: &str,
        name_span: Range<usize>,
        value_span: Range<usize>,
    ) -> Result<Pair, SpecError> {
        let known = Pair::read(name, text);
        known.map_err(|e| match e.span.start.checked_sub(name.len() + 1) {
            Some(at) => {
                let len = e.span.len();
                let start = value_span.start + at;
                SpecError { span: start..start + len, ..e }
            }
            None => SpecError { span: name_span, ..e },
        })
    }

    fn apply(&mut self, pair: Pair, span: Range<usize>) -> Result<(), SpecError> {
        pair.apply(&mut self.template).map_err(|problem| SpecError::new(span, problem))
    }
}
