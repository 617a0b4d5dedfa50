//! Reading what [`print`](super::print) prints.

use core::fmt;
use core::str::FromStr;

use smallvec::SmallVec;

use super::{Base, LETTERS, NO_FLAGS, Segment};
use crate::seq::SeqNumber;
use crate::tcp::emit::MAX_OPTIONS;
use crate::tcp::header::Flags;
use crate::tcp::options::{AccEcn, AccEcnOrder};
use crate::tcp::options::{FastOpen, SackBlock, SackBlocks, Timestamps};
use crate::tcp::raw::{TcpOption, kind};

/// Why a text is no segment, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotationError {
    /// Bytes of the text in front of the fault.
    pub at: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Something else should stand there.
    Expected(&'static str),
    /// A number does not fit its field.
    TooLarge {
        /// The most that the field holds.
        maximum: u32,
    },
    /// A name that nothing has.
    Unknown(&'static str),
}

impl fmt::Display for NotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: ", self.at + 1)?;
        match self.problem {
            Problem::Expected(what) => write!(f, "expected {what}"),
            Problem::TooLarge { maximum } => write!(f, "the number is above {maximum}"),
            Problem::Unknown(what) => write!(f, "there is no such {what}"),
        }
    }
}

impl core::error::Error for NotationError {}

type Result<T> = core::result::Result<T, NotationError>;

impl FromStr for Flags {
    type Err = NotationError;

    /// Reads the flags' letters in any order, or `none`.
    fn from_str(text: &str) -> Result<Self> {
        if text == NO_FLAGS {
            return Ok(Self::empty());
        }
        let mut flags = Self::empty();
        for (at, letter) in text.char_indices() {
            let known = LETTERS.iter().find(|(_, known)| *known == letter);
            let (flag, _) = known.ok_or(NotationError { at, problem: Problem::Unknown("flag") })?;
            flags |= *flag;
        }
        Ok(flags)
    }
}

impl Segment {
    /// Reads a line whose numbers are counted from `base`. Behind the flags, fields may stand
    /// in any order and be left out; they are zero then.
    ///
    /// # Errors
    /// If the text is not in this notation, or a number does not fit its field.
    pub fn read(text: &str, base: Base) -> Result<Self> {
        let mut scan = Scanner { text, at: 0 };
        scan.expect("[")?;
        let start = scan.at;
        let letters = scan.until(|c| c == ']');
        let flags: Flags =
            letters.parse().map_err(|e: NotationError| NotationError { at: start + e.at, ..e })?;
        scan.expect("]")?;
        // The base is no part of a field that has no meaning.
        let ack = if flags.contains(Flags::ACK) { base.ack } else { SeqNumber(0) };
        let mut segment = Self { flags, seq: base.seq, ack, ..Self::default() };
        while !scan.at_end() {
            scan.expect(" ")?;
            if scan.eat("<") {
                segment.options = scan.options(base.ack)?;
                scan.expect(">")?;
                continue;
            }
            let at = scan.at;
            let field = scan.word();
            scan.expect(" ")?;
            match field {
                "seq" => segment.seq = base.seq + scan.number(u32::MAX)?,
                "ack" => segment.ack = ack + scan.number(u32::MAX)?,
                "win" => segment.window = scan.number(0xffff)? as u16,
                "urg" => segment.urgent = scan.number(0xffff)? as u16,
                "len" => segment.len = scan.number(u32::MAX)?,
                _ => return Err(NotationError { at, problem: Problem::Unknown("field") }),
            }
        }
        Ok(segment)
    }
}

/// Reads options by their names, as [`OptionList`](super::OptionList) prints them and as
/// tcpdump does, which sets no space behind its commas. SACK's blocks are counted from `base`.
///
/// # Errors
/// If an option has no such name or shape, or they take more than 40 bytes.
pub fn read_options(text: &str, base: Base) -> Result<SmallVec<[u8; MAX_OPTIONS]>> {
    let mut scan = Scanner { text, at: 0 };
    if scan.at_end() {
        return Ok(Data::new());
    }
    let options = scan.options(base.ack)?;
    if scan.at_end() { Ok(options) } else { scan.error(Problem::Expected("a comma")) }
}

/// The options that have a name, as it is read and printed.
pub const OPTION_NAMES: [&str; 15] = [
    "mss", "wscale", "sackOK", "sack", "TS", "nop", "eol", "tfo", "exp-tfo", "uto", "accecn0",
    "accecn1", "md5", "ao", "mptcp",
];

/// Bytes given in hex.
type Data = SmallVec<[u8; MAX_OPTIONS]>;

/// A place in a text.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn error<T>(&self, problem: Problem) -> Result<T> {
        Err(NotationError { at: self.at, problem })
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn expect(&mut self, token: &'static str) -> Result<()> {
        if self.eat(token) { Ok(()) } else { self.error(Problem::Expected(named(token))) }
    }

    /// Everything up to the first of these, or to the end.
    fn until(&mut self, end: impl FnMut(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(end).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// Letters, digits and what may stand in a name between them.
    fn word(&mut self) -> &'t str {
        self.until(|c| !c.is_ascii_alphanumeric() && c != '-')
    }

    fn number(&mut self, maximum: u32) -> Result<u32> {
        let at = self.at;
        let radix = if self.eat("0x") { 16 } else { 10 };
        let digits = self.until(|c| !c.is_digit(radix));
        if digits.is_empty() {
            return self.error(Problem::Expected("a number"));
        }
        let number = u32::from_str_radix(digits, radix).ok().filter(|number| *number <= maximum);
        number.ok_or(NotationError { at, problem: Problem::TooLarge { maximum } })
    }

    /// Bytes in hex behind a space; none if there is no space.
    fn data(&mut self) -> Result<Data> {
        let mut data = Data::new();
        if !self.eat(" ") {
            return Ok(data);
        }
        let at = self.at;
        self.eat("0x");
        let digits = self.until(|c| !c.is_ascii_hexdigit());
        let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
        for pair in pairs {
            let byte = core::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok());
            data.extend(byte);
        }
        if pairs.is_empty() || !odd.is_empty() {
            let problem = Problem::Expected("pairs of hex digits");
            return Err(NotationError { at, problem });
        }
        Ok(data)
    }

    fn options(&mut self, base: SeqNumber) -> Result<Data> {
        let (at, mut bytes) = (self.at, Data::new());
        loop {
            self.option(base, &mut bytes)?;
            if bytes.len() > MAX_OPTIONS {
                let problem = Problem::Expected("40 bytes of options at most");
                return Err(NotationError { at, problem });
            }
            if !self.eat(",") {
                return Ok(bytes);
            }
            self.eat(" ");
        }
    }

    /// Reads one option and adds its bytes.
    fn option(&mut self, base: SeqNumber, bytes: &mut Data) -> Result<()> {
        let at = self.at;
        let name = self.word();
        let data;
        let option = match name {
            "nop" => TcpOption::Nop,
            "sackOK" => TcpOption::SackPermitted,
            "mss" => TcpOption::Mss(self.field(" ", 0xffff)? as u16),
            "wscale" => TcpOption::WindowScale(self.field(" ", 0xff)? as u8),
            "uto" => TcpOption::UserTimeout(self.field(" ", 0xffff)? as u16),
            "TS" => {
                let value = self.field(" val ", u32::MAX)?;
                let echo = self.field(" ecr ", u32::MAX)?;
                TcpOption::Timestamps(Timestamps { value, echo })
            }
            "sack" => TcpOption::Sack(self.sack(base)?),
            "tfo" => TcpOption::FastOpen(self.fast_open(false)?),
            "exp-tfo" => TcpOption::FastOpen(self.fast_open(true)?),
            "accecn0" => TcpOption::AccEcn(self.acc_ecn(AccEcnOrder::Ect0First)?),
            "accecn1" => TcpOption::AccEcn(self.acc_ecn(AccEcnOrder::Ect1First)?),
            "bad" => return self.data().map(|bad| bytes.extend_from_slice(&bad)),
            _ => {
                let problem = Problem::Unknown("option");
                let kind = kind_of(name).ok_or(NotationError { at, problem })?;
                data = self.data()?;
                match kind {
                    kind::END_OF_LIST => TcpOption::EndOfList { padding: &data },
                    _ => TcpOption::Unknown { kind, data: &data },
                }
            }
        };
        option.emit(bytes);
        Ok(())
    }

    fn field(&mut self, name: &'static str, maximum: u32) -> Result<u32> {
        self.expect(name)?;
        self.number(maximum)
    }

    fn sack(&mut self, base: SeqNumber) -> Result<SackBlocks> {
        let count = self.field(" ", 4)?;
        let mut blocks = SackBlocks::new();
        if count > 0 {
            self.expect(" ")?;
        }
        for _ in 0..count {
            let left = base + self.field("{", u32::MAX)?;
            let right = base + self.field(":", u32::MAX)?;
            self.expect("}")?;
            blocks.push(SackBlock { left, right });
        }
        Ok(blocks)
    }

    fn fast_open(&mut self, experimental: bool) -> Result<FastOpen> {
        // tcpdump sets a second space.
        if self.rest().starts_with("  ") {
            self.at += 1;
        }
        if self.eat(" cookiereq") {
            return Ok(FastOpen { experimental, ..FastOpen::default() });
        }
        self.expect(" cookie")?;
        let (at, data) = (self.at, self.data()?);
        let cookie = FastOpen::new(&data, experimental);
        let problem = Problem::Expected("an even number of bytes, 4 to 16");
        cookie.ok_or(NotationError { at, problem })
    }

    fn acc_ecn(&mut self, order: AccEcnOrder) -> Result<AccEcn> {
        let mut counters = [None; 3];
        for counter in &mut counters {
            if !self.eat(" ") {
                break;
            }
            *counter = Some(self.number(0x00ff_ffff)?);
        }
        Ok(AccEcn { order, counters })
    }
}

/// The kind of an option whose data is given in hex.
fn kind_of(name: &str) -> Option<u8> {
    match name {
        "eol" => Some(kind::END_OF_LIST),
        "md5" => Some(kind::MD5),
        "ao" => Some(kind::AO),
        "mptcp" => Some(kind::MPTCP),
        _ => name.strip_prefix("unknown-")?.parse().ok(),
    }
}

/// How an error names a token.
fn named(token: &'static str) -> &'static str {
    match token {
        " " => "a space",
        token => token.trim(),
    }
}
