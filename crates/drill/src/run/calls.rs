//! System calls: what a script means by them, and whether they returned what it says.

use std::net::SocketAddr;
use std::time::Duration;

use super::flow::Flow;
use super::{Checked, Run};
use crate::linux::{
    AF_UNSPEC, Errno, F_GETFL, F_SETFL, SO_LINGER, SOL_SOCKET, SOL_TCP, TCP_INFO, symbol,
};
use crate::script::{Call, Expr};
use crate::sockets::{Buffer, Reply, Request, Value, Watched};

/// What a call returned.
#[derive(Clone, Debug)]
pub(super) struct Returned {
    pub(super) value: Result<i64, Errno>,
    /// What was wrong with what it wrote through its arguments.
    wrong: Option<String>,
}

impl Returned {
    pub(super) const fn of(value: Result<i64, Errno>) -> Self {
        Self { value, wrong: None }
    }
}

impl Run<'_> {
    /// What a call asks for; `None` where it asks for nothing that could be checked.
    pub(super) fn request(&mut self, call: &Call) -> Checked<Option<Request>> {
        let fd = || self.descriptor(call, 0);
        Ok(Some(match call.name.as_str() {
            "socket" => self.socket_request(call)?,
            "bind" => {
                Request::Bind { fd: fd()?, local: self.address(call, 1, self.setup.bound())? }
            }
            "listen" => Request::Listen { fd: fd()?, backlog: self.number_at(call, 1)? },
            "accept" | "accept4" => Request::Accept { fd: fd()?, flags: self.flags_at(call, 3)? },
            "connect" => self.connect_request(call)?,
            "read" | "recv" | "recvfrom" | "readv" | "recvmsg" => self.read_request(call)?,
            "write" | "send" | "sendto" | "writev" | "sendmsg" => self.write_request(call)?,
            "close" => Request::Close { fd: fd()? },
            "shutdown" => Request::Shutdown { fd: fd()?, how: self.number_at(call, 1)? },
            "fcntl" => match self.number_at(call, 1)? {
                F_GETFL => Request::GetFlags { fd: fd()? },
                F_SETFL => Request::SetFlags { fd: fd()?, flags: self.number_at(call, 2)? },
                _ => return self.fail("only F_GETFL and F_SETFL are supported"),
            },
            "ioctl" => Request::Ioctl { fd: fd()?, request: self.number_at(call, 1)? },
            "setsockopt" => return self.set_request(call),
            "getsockopt" => return self.get_request(call),
            "poll" => self.poll_request(call)?,
            "epoll_create" | "epoll_create1" => Request::EpollCreate,
            "epoll_ctl" => self.epoll_ctl_request(call)?,
            "epoll_wait" => Request::EpollWait {
                epoll: fd()?,
                most: self.length(self.argument(call, 2)?)?,
                timeout: self.timeout(call, 3)?,
            },
            name => return self.fail(format!("the call {name} is not supported")),
        }))
    }

    /// What a call returned, as the script counts descriptors; its effects on the run.
    pub(super) fn returned(
        &mut self,
        call: &Call,
        request: &Request,
        answer: Result<Reply, Errno>,
    ) -> Checked<Returned> {
        let reply = match answer {
            Ok(reply) => reply,
            Err(errno) => return Ok(Returned::of(Err(errno))),
        };
        let (value, wrong) = match (request, reply) {
            (Request::Socket { .. }, Reply::Number(fd)) => {
                // Packets of the sockets before are none of this one's.
                self.others.extend(self.flow.take());
                (self.name_descriptor(call, fd, true)?, None)
            }
            (Request::Accept { .. }, Reply::Number(fd)) => {
                (self.name_descriptor(call, fd, true)?, None)
            }
            (Request::EpollCreate, Reply::Number(fd)) => {
                (self.name_descriptor(call, fd, false)?, None)
            }
            (_, Reply::Number(value)) => (value, None),
            (_, Reply::Told(value)) => (0, self.told(call, value)?),
            (_, Reply::Events(found)) => {
                let ready = found.iter().filter(|events| **events != 0).count();
                (ready as i64, self.wrong_events(call, &found)?)
            }
            (_, Reply::Watched(found)) => (found.len() as i64, self.wrong_watched(call, &found)?),
        };
        Ok(Returned { value: Ok(value), wrong })
    }

    /// Checks what a call returned.
    pub(super) fn check_call(&self, call: &Call, returned: Returned) -> Checked {
        let text = &call.text;
        let (actual, errno) = match returned.value {
            Ok(value) => (value, None),
            Err(errno) => (-1, Some(errno)),
        };
        let told = errno.map_or(String::new(), |errno| format!(" {errno}"));
        let expected = match &call.result {
            Expr::Any => actual,
            result => self.number(result)?,
        };
        if actual != expected {
            return self.fail(format!("this call returned {actual}{told}:\n  {text}"));
        }
        if let Some(name) = &call.errno
            && errno.is_none_or(|errno| Some(i64::from(errno.0)) != symbol(name))
        {
            return self.fail(format!("this call failed with{told}, not {name}:\n  {text}"));
        }
        match returned.wrong {
            Some(wrong) => self.fail(format!("{wrong}:\n  {text}")),
            None => Ok(()),
        }
    }

    /// Remembers what the script calls a new descriptor, and what it is called.
    fn name_descriptor(&mut self, call: &Call, fd: i64, subject: bool) -> Checked<i64> {
        let live = i32::try_from(fd).unwrap_or(-1);
        if subject {
            self.subject = Some(live);
        }
        let called = self.number(&call.result)?;
        if called >= 0 {
            self.descriptors.insert(called, live);
        }
        Ok(if called >= 0 { called } else { fd })
    }

    fn socket_request(&self, call: &Call) -> Checked<Request> {
        let family = match self.argument(call, 0)? {
            Expr::Any => self.family(),
            family => self.number(family)?,
        };
        let (kind, protocol) = (self.number_at(call, 1)?, self.flags_at(call, 2)?);
        Ok(Request::Socket { family, kind, protocol })
    }

    fn connect_request(&mut self, call: &Call) -> Checked<Request> {
        let fd = self.descriptor(call, 0)?;
        let argument = self.argument(call, 1)?;
        let unspecified = |expr: &Expr| self.number(expr).is_ok_and(|n| n == AF_UNSPEC);
        let family = argument.field("sa_family");
        let dissolve =
            *argument != Expr::Any && (unspecified(argument) || family.is_some_and(unspecified));
        if dissolve {
            return Ok(Request::Connect { fd, remote: None });
        }
        let remote = self.address(call, 1, self.setup.peer())?;
        self.follow(remote);
        Ok(Request::Connect { fd, remote: Some(remote) })
    }

    /// The connection to `remote` is the one that the packets to come belong to.
    fn follow(&mut self, remote: SocketAddr) {
        if self.flow.as_ref().is_none_or(|flow| flow.remote != remote) {
            let before = self.flow.replace(Flow::new(SocketAddr::new(self.setup.local, 0), remote));
            self.others.extend(before);
        }
    }

    fn read_request(&self, call: &Call) -> Checked<Request> {
        let fd = self.descriptor(call, 0)?;
        let (buffer, flags) = self.buffer(call)?;
        Ok(Request::Read { fd, buffer, flags })
    }

    fn write_request(&mut self, call: &Call) -> Checked<Request> {
        let fd = self.descriptor(call, 0)?;
        let (buffer, flags) = self.buffer(call)?;
        let to = match (call.name.as_str(), call.arguments.get(4)) {
            ("sendto", Some(Expr::Any | Expr::Struct(_))) => {
                Some(self.address(call, 4, self.setup.peer())?)
            }
            _ => None,
        };
        if let Some(to) = to
            && self.flow.is_none()
        {
            self.follow(to);
        }
        Ok(Request::Write { fd, buffer, flags, to })
    }

    /// The memory that a call reads into or writes from, and its flags.
    fn buffer(&self, call: &Call) -> Checked<(Buffer, i64)> {
        let buffer = self.argument(call, 1)?;
        let (len, flags) = match call.name.as_str() {
            _ if is_null(buffer) => return Ok((Buffer::Null, self.flags_at(call, 3)?)),
            "readv" | "writev" => (self.buffers(buffer)?, 0),
            "recvmsg" if expects_control(buffer) => {
                return self.fail("control messages are not supported");
            }
            "recvmsg" | "sendmsg" => match buffer.field("msg_iov") {
                Some(buffers) => (self.buffers(buffers)?, self.flags_at(call, 2)?),
                None => return self.fail(format!("{buffer} is no message")),
            },
            _ => (self.length(self.argument(call, 2)?)?, self.flags_at(call, 3)?),
        };
        Ok((Buffer::Room(len), flags))
    }

    fn set_request(&mut self, call: &Call) -> Checked<Option<Request>> {
        let fd = self.descriptor(call, 0)?;
        let (level, name) = (self.number_at(call, 1)?, self.number_at(call, 2)?);
        let value = self.argument(call, 3)?;
        let value = match (value, (level, name)) {
            (linger, (SOL_SOCKET, SO_LINGER)) => {
                let field = |name| linger.field(name).map_or(Ok(0), |expr| self.number(expr));
                let seconds = field("linger")?.unsigned_abs();
                let on = field("onoff")? != 0;
                Value::Linger(on.then(|| Duration::from_secs(seconds)))
            }
            (Expr::Text(text), _) => Value::Bytes(text.clone()),
            (Expr::Any | Expr::Struct(_), _) => {
                self.notes.insert(format!("an option was not set: {}", call.text));
                return Ok(None);
            }
            _ => Value::Number(self.number(value)?),
        };
        Ok(Some(Request::SetOption { fd, level, name, value }))
    }

    fn get_request(&self, call: &Call) -> Checked<Option<Request>> {
        let fd = self.descriptor(call, 0)?;
        let (level, name) = (self.number_at(call, 1)?, self.number_at(call, 2)?);
        let open = matches!(self.argument(call, 3)?, Expr::Any | Expr::Text(_));
        if open || (level, name) == (SOL_TCP, TCP_INFO) {
            return Ok(None);
        }
        Ok(Some(Request::GetOption { fd, level, name }))
    }

    /// What to say where an option or an `ioctl` told something else.
    fn told(&self, call: &Call, found: i64) -> Checked<Option<String>> {
        let at = if call.name == "ioctl" { 2 } else { 3 };
        let expected = match call.arguments.get(at) {
            None | Some(Expr::Any) => return Ok(None),
            Some(expected) => self.number(expected)?,
        };
        // Both are 32 bits wide, and a script may write either sign.
        let same = expected as u32 == found as u32;
        Ok((!same).then(|| format!("it told {found}, not {expected}")))
    }

    /// A time in milliseconds; `None` for ever.
    fn timeout(&self, call: &Call, at: usize) -> Checked<Option<Duration>> {
        Ok(u64::try_from(self.number_at(call, at)?).ok().map(Duration::from_millis))
    }

    fn poll_request(&self, call: &Call) -> Checked<Request> {
        let Expr::List(items) = self.argument(call, 0)? else {
            return self.fail("poll takes a list");
        };
        let mut wanted = Vec::new();
        for item in items {
            let field = |name| item.field(name).map_or(Ok(0), |expr| self.number(expr));
            wanted.push((self.live(field("fd")?), field("events")?));
        }
        Ok(Request::Poll { wanted, timeout: self.timeout(call, 2)? })
    }

    fn wrong_events(&self, call: &Call, found: &[i64]) -> Checked<Option<String>> {
        let Expr::List(items) = self.argument(call, 0)? else { return Ok(None) };
        for (item, found) in items.iter().zip(found) {
            let expected = item.field("revents").map_or(Ok(0), |expr| self.number(expr))?;
            if expected != *found {
                return Ok(Some(format!("revents is {}", event_names(*found))));
            }
        }
        Ok(None)
    }

    /// The data of an event: a descriptor or another number.
    fn watched(&self, expr: &Expr) -> Checked<Watched> {
        let events = expr.field("events").map_or(Ok(0), |expr| self.number(expr))?;
        let names = ["fd", "ptr", "u32", "u64"];
        let data = names.iter().find_map(|name| expr.field(name));
        let data = data.map_or(Ok(0), |expr| self.number(expr))?;
        Ok(Watched { events, data })
    }

    fn epoll_ctl_request(&self, call: &Call) -> Checked<Request> {
        let (epoll, verb) = (self.descriptor(call, 0)?, self.number_at(call, 1)?);
        let fd = self.descriptor(call, 2)?;
        let watched = match call.arguments.get(3) {
            Some(event) => self.watched(event)?,
            None => Watched { events: 0, data: 0 },
        };
        Ok(Request::EpollCtl { epoll, verb, fd, watched })
    }

    fn wrong_watched(&self, call: &Call, found: &[Watched]) -> Checked<Option<String>> {
        let expected: Vec<Watched> = match self.argument(call, 1)? {
            Expr::List(items) => {
                items.iter().map(|item| self.watched(item)).collect::<Checked<_>>()?
            }
            Expr::Any => Vec::new(),
            event => vec![self.watched(event)?],
        };
        let wrong = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        Ok(wrong.map(|(found, _)| {
            format!("the event is {} of {}", event_names(found.events), found.data)
        }))
    }
}

/// Whether a message is to bring control messages.
fn expects_control(message: &Expr) -> bool {
    matches!(message.field("msg_control"), Some(Expr::List(items)) if !items.is_empty())
}

/// No buffer at all.
fn is_null(buffer: &Expr) -> bool {
    matches!(buffer, Expr::Word(word) if word == "NULL") || *buffer == Expr::Int(0)
}

fn event_names(events: i64) -> String {
    let names = ["POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLRDHUP"];
    let told = names.iter().filter(|name| symbol(name).is_some_and(|bit| events & bit != 0));
    let told: Vec<&str> = told.copied().collect();
    if told.is_empty() { "0".to_owned() } else { told.join("|") }
}
