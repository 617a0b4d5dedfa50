//! Reading a whole packet from one line.

use std::ops::Range;
use std::str::FromStr;

use super::pair::{Pair, read_socket};
use super::{Problem, SpecError, value};
use crate::field::{Family, Field};
use crate::template::{Payload, Template};

impl FromStr for Template {
    type Err = SpecError;

    /// Reads what a template prints, what [`wire::notation`](handclasp_wire::notation) prints
    /// and what tcpdump prints, with `-n` and with or without `-v`: two sockets around a `>`,
    /// the flags in brackets, options in angle brackets or behind `options` in square ones, and
    /// pairs of name and value as [`Pair::read`] has them, in any order. What stands in front of
    /// tcpdump's `IP`, and behind its `length n:`, is left out.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut line = Line { text, at: start(text), template: Self::default() };
        while line.part()? {}
        Ok(line.template)
    }
}

/// Where tcpdump's time and interface end, if there are any.
fn start(text: &str) -> usize {
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

    /// Takes what stands between the bracket that comes next and its counterpart.
    fn bracket(&mut self, close: char) -> Result<(&'t str, Range<usize>), SpecError> {
        self.at += 1;
        let (inside, span) = self.until(&[close]);
        if self.rest().is_empty() {
            let what = if close == ']' { "a closing ]" } else { "a closing bracket" };
            return Err(SpecError::new(span.end..span.end, Problem::Expected(what)));
        }
        self.at += 1;
        Ok((inside, span))
    }

    /// Reads the next part; says whether there was one.
    fn part(&mut self) -> Result<bool, SpecError> {
        self.skip(&[' ', ',', ':', '\t', '\n', '\r']);
        let rest = self.rest();
        match rest.chars().next() {
            None => return Ok(false),
            Some('<') => self.options('>')?,
            Some('(') => self.group()?,
            // `[fd00::1]:80` is no list of flags.
            Some('[') if !rest.split_once(']').is_some_and(|(_, b)| b.starts_with(':')) => {
                let (letters, span) = self.bracket(']')?;
                let (setting, _) =
                    value::read(Field::Flags, letters).map_err(|e| e.behind(span.start))?;
                self.template.set(Field::Flags, setting);
            }
            Some(_) => return self.word(),
        }
        Ok(true)
    }

    fn word(&mut self) -> Result<bool, SpecError> {
        let (word, span) = self.until(&[' ', ',', '\t', '\n', '\r']);
        if let Some(rest) = self.rest().trim_start().strip_prefix('>') {
            self.at = self.text.len() - rest.len();
            self.skip(&[' ']);
            let (to, to_span) = self.until(&[' ', ',', '\t', '\n', '\r']);
            self.socket("src", word, &span)?;
            self.socket("dst", to.trim_end_matches(':'), &to_span)?;
            return Ok(true);
        }
        match word {
            "IP" => self.apply(Pair::Family(Family::V4), span)?,
            "IP6" => self.apply(Pair::Family(Family::V6), span)?,
            "Flags" => {}
            "options" => {
                self.skip(&[' ']);
                self.options(']')?;
            }
            name => return self.pair(name, span),
        }
        Ok(true)
    }

    fn socket(&mut self, name: &str, text: &str, span: &Range<usize>) -> Result<(), SpecError> {
        let fields = match name {
            "src" => [Field::Src, Field::SrcPort],
            _ => [Field::Dst, Field::DstPort],
        };
        let socket = read_socket(text).map_err(|e| e.behind(span.start))?;
        self.apply(Pair::Socket(fields, socket), span.clone())
    }

    fn options(&mut self, close: char) -> Result<(), SpecError> {
        let (list, span) = self.bracket(close)?;
        let pair = self.read("options", list, 0..0, span.clone())?;
        self.apply(pair, span)
    }

    fn pair(&mut self, name: &'t str, span: Range<usize>) -> Result<bool, SpecError> {
        self.skip(&[' ']);
        let (text, value_span) = match self.rest().strip_prefix('"') {
            Some(rest) => {
                let mut escaped = false;
                let end = rest.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                let span = self.at + 1..self.at + 1 + end.unwrap_or(rest.len());
                if end.is_none() {
                    let problem = Problem::Expected("a closing \"");
                    return Err(SpecError::new(span.end..span.end, problem));
                }
                self.at = span.end + 1;
                (self.text.get(span.clone()).unwrap_or_default(), span)
            }
            None => self.until(&[' ', ',', '\t', '\n', '\r']),
        };
        match (name, text.split_once(':')) {
            // tcpdump's `seq 1:6`: five bytes from 1 on.
            ("seq", Some((from, to))) => {
                let at = value_span.start;
                let seq = self.read(name, from, span.clone(), at..at + from.len())?;
                let end = self.read(name, to, span.clone(), at + from.len() + 1..value_span.end)?;
                if let (Pair::Field(_, from, _), Pair::Field(_, to, _)) = (&seq, &end)
                    && let (Some(from), Some(to)) = (from.value(), to.value())
                {
                    let len = (to as u32).wrapping_sub(from as u32) as usize;
                    self.apply(Pair::Payload(Payload::Len(len)), value_span.clone())?;
                }
                self.apply(seq, value_span)?;
            }
            // What tcpdump found in the payload follows.
            ("length", Some((len, _))) => {
                let pair = self.read(name, len, span, value_span.clone())?;
                self.apply(pair, value_span)?;
                self.at = self.text.len();
            }
            _ => {
                let pair = self.read(name, text, span, value_span.clone())?;
                self.apply(pair, value_span)?;
            }
        }
        if name == "cksum" && self.rest().starts_with(" (") {
            self.at += 1;
            self.bracket(')')?;
        }
        Ok(true)
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
                self.bracket(')')?;
            } else if name == "CE" || name.starts_with("ECT(") {
                // What `tos` said already.
                self.skip(&[')']);
            } else if name == "flags" {
                let (flags, span) = self.bracket(']')?;
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
