//! What the arguments of a call say.

use std::net::{IpAddr, SocketAddr};

use super::{Checked, Family, Run};
use crate::linux::{self, AF_INET, AF_INET6};
use crate::script::{Call, Expr};

impl Run<'_> {
    /// A number: itself, a name, or several of them joined.
    pub(super) fn number(&self, expr: &Expr) -> Checked<i64> {
        match expr {
            Expr::Int(n) => Ok(*n),
            Expr::Or(a, b) => Ok(self.number(a)? | self.number(b)?),
            Expr::Word(word) => match linux::symbol(word) {
                Some(n) => Ok(n),
                None => self.fail(format!("the name {word} is not known")),
            },
            Expr::Call(name, arguments) if name == "htons" => match arguments.as_slice() {
                [port] => self.number(port),
                _ => self.fail("htons takes one number"),
            },
            Expr::List(items) if items.len() == 1 => self.number(&items[0]),
            _ => self.fail(format!("{expr} is no number")),
        }
    }

    /// The argument at `at`, which must be there.
    pub(super) fn argument<'c>(&self, call: &'c Call, at: usize) -> Checked<&'c Expr> {
        match call.arguments.get(at) {
            Some(argument) => Ok(argument),
            None => self.fail(format!("{} has too few arguments", call.name)),
        }
    }

    /// The number at `at`.
    pub(super) fn number_at(&self, call: &Call, at: usize) -> Checked<i64> {
        self.number(self.argument(call, at)?)
    }

    /// The number at `at`, or 0 where it is left out or open.
    pub(super) fn flags_at(&self, call: &Call, at: usize) -> Checked<i64> {
        match call.arguments.get(at) {
            None | Some(Expr::Any) => Ok(0),
            Some(flags) => self.number(flags),
        }
    }

    /// A length.
    pub(super) fn length(&self, expr: &Expr) -> Checked<usize> {
        let Ok(len) = usize::try_from(self.number(expr)?) else {
            return self.fail(format!("{expr} is no length"));
        };
        // A script that moves more would only tire the machine.
        if len > 1 << 30 { self.fail(format!("{len} bytes are too many")) } else { Ok(len) }
    }

    /// The host's descriptor that the script calls so.
    pub(super) fn live(&self, script: i64) -> i32 {
        self.descriptors.get(&script).copied().unwrap_or(-1)
    }

    pub(super) fn descriptor(&self, call: &Call, at: usize) -> Checked<i32> {
        Ok(self.live(self.number_at(call, at)?))
    }

    /// The address at `at`, or `usual` where it is open.
    pub(super) fn address(&self, call: &Call, at: usize, usual: SocketAddr) -> Checked<SocketAddr> {
        let expr = self.argument(call, at)?;
        if *expr == Expr::Any {
            return Ok(usual);
        }
        let port = match expr.field("sin_port").or_else(|| expr.field("sin6_port")) {
            Some(port) => self.number(port)? as u16,
            None => usual.port(),
        };
        let address = expr.field("sin_addr").or_else(|| expr.field("sin6_addr"));
        let text = match address {
            Some(Expr::Call(_, arguments)) => match arguments.as_slice() {
                [Expr::Text(text)] => String::from_utf8_lossy(text).parse::<IpAddr>().ok(),
                _ => None,
            },
            _ => None,
        };
        match text {
            Some(ip) => Ok(SocketAddr::new(ip.to_canonical(), port)),
            None => self.fail(format!("{expr} is no address")),
        }
    }

    /// The family of sockets that scripts leave open.
    pub(super) fn family(&self) -> i64 {
        if self.setup.family == Family::V4 { AF_INET } else { AF_INET6 }
    }

    /// The bytes that the parts of a scattered buffer hold together.
    pub(super) fn buffers(&self, expr: &Expr) -> Checked<usize> {
        let Expr::List(parts) = expr else { return self.fail(format!("{expr} is no list")) };
        let mut total = 0;
        for part in parts {
            let Expr::Struct(fields) = part else {
                return self.fail(format!("{part} is no buffer"));
            };
            match fields.as_slice() {
                [_, len] => total += self.length(&len.value)?,
                _ => return self.fail(format!("{part} is no buffer")),
            }
        }
        Ok(total)
    }
}
