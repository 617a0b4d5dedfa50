//! `setsockopt` and `getsockopt`.

use std::sync::Arc;
use std::time::Duration;

use handclasp_tcp::Connection;
use handclasp_tcp::config::KeepAlive;

use super::descriptor::State;
use super::{Sockets, errno_of};
use crate::linux::{
    Errno, IP_TOS, IP_TTL, SO_ERROR, SO_KEEPALIVE, SO_LINGER, SO_RCVBUF, SO_SNDBUF, SOL_IP,
    SOL_SOCKET, SOL_TCP, TCP_CONGESTION, TCP_CORK, TCP_DEFER_ACCEPT, TCP_FASTOPEN,
    TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_KEY, TCP_INQ, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL,
    TCP_LINGER2, TCP_MAXSEG, TCP_MD5SIG, TCP_NODELAY, TCP_NOTSENT_LOWAT, TCP_QUICKACK, TCP_SYNCNT,
    TCP_USER_TIMEOUT, TCP_WINDOW_CLAMP,
};

/// Options that are taken, and change nothing here though they should.
const LACKING: [(i64, &str); 7] = [
    (TCP_DEFER_ACCEPT, "TCP_DEFER_ACCEPT"),
    (TCP_WINDOW_CLAMP, "TCP_WINDOW_CLAMP"),
    (TCP_FASTOPEN, "TCP_FASTOPEN"),
    (TCP_FASTOPEN_CONNECT, "TCP_FASTOPEN_CONNECT"),
    (TCP_FASTOPEN_KEY, "TCP_FASTOPEN_KEY"),
    (TCP_INQ, "TCP_INQ"),
    (TCP_MD5SIG, "TCP_MD5SIG"),
];

impl Sockets {
    /// `setsockopt(2)` of a number.
    ///
    /// # Errors
    /// EBADF; EINVAL for a value that cannot be.
    pub fn set_option(&mut self, fd: i32, level: i64, name: i64, value: i64) -> Result<(), Errno> {
        self.socket_at(fd)?;
        if level == SOL_TCP
            && let Some((_, lacking)) = LACKING.iter().find(|(known, _)| *known == name)
        {
            self.lacks(*lacking);
        }
        match (level, name) {
            (SOL_SOCKET, SO_SNDBUF | SO_RCVBUF) => self.set_buffer(fd, name, value)?,
            (SOL_SOCKET, SO_KEEPALIVE) => self.set_keep_alive(fd, |keep_alive| {
                *keep_alive = (value != 0).then(|| keep_alive.unwrap_or_default());
            })?,
            (SOL_TCP, TCP_KEEPIDLE | TCP_KEEPINTVL | TCP_KEEPCNT) => {
                if !(1..=32_767).contains(&value) {
                    return Err(Errno::EINVAL);
                }
                self.set_keep_alive(fd, |keep_alive| {
                    let Some(keep_alive) = keep_alive else { return };
                    set_probing(keep_alive, name, value);
                })?;
            }
            (SOL_TCP, TCP_MAXSEG) => {
                let mss = u16::try_from(value).ok().filter(|mss| *mss >= 88 && *mss < 32_768);
                self.socket_at_mut(fd)?.config.max_segment_size = Some(mss.ok_or(Errno::EINVAL)?);
            }
            (SOL_TCP, TCP_SYNCNT) => {
                let retries = u8::try_from(value).ok().filter(|n| (1..=127).contains(n));
                self.socket_at_mut(fd)?.config.syn_retries = retries.ok_or(Errno::EINVAL)?;
            }
            (SOL_TCP, TCP_LINGER2) => {
                let seconds = u64::try_from(value).unwrap_or(0);
                self.socket_at_mut(fd)?.config.fin_wait_2 = Duration::from_secs(seconds);
            }
            _ => self.set_live(fd, level, name, value)?,
        }
        self.socket_at_mut(fd)?.options.insert((level, name), value);
        self.tell_listener(fd);
        Ok(())
    }

    /// The options that an open connection takes, too.
    fn set_live(&mut self, fd: i32, level: i64, name: i64, value: i64) -> Result<(), Errno> {
        match (level, name) {
            (SOL_TCP, TCP_NODELAY) => {
                self.socket_at_mut(fd)?.config.nodelay = value != 0;
                self.on_connection(fd, |connection| connection.set_nodelay(value != 0));
            }
            (SOL_TCP, TCP_NOTSENT_LOWAT) => {
                // Linux has 0 mean what the host has.
                let bytes = u32::try_from(value).ok().filter(|bytes| *bytes != 0);
                let bytes = bytes.or(self.config.notsent_lowat).filter(|b| *b != u32::MAX);
                self.socket_at_mut(fd)?.config.notsent_lowat = bytes;
                self.on_connection(fd, |connection| connection.set_notsent_lowat(bytes));
            }
            (SOL_TCP, TCP_QUICKACK) => {
                self.on_connection(fd, |connection| connection.set_quick_acks(value != 0));
            }
            (SOL_TCP, TCP_CORK) => {
                self.on_connection(fd, |connection| connection.set_cork(value != 0));
            }
            (SOL_TCP, TCP_USER_TIMEOUT) => {
                let millis = u64::try_from(value).map_err(|_| Errno::EINVAL)?;
                let timeout = (millis > 0).then(|| Duration::from_millis(millis));
                self.socket_at_mut(fd)?.config.user_timeout = timeout;
                self.on_connection(fd, |connection| connection.set_user_timeout(timeout));
            }
            (SOL_IP, IP_TOS) => {
                let dscp = (value as u8) >> 2;
                self.socket_at_mut(fd)?.config.dscp = dscp;
                self.on_connection(fd, |connection| connection.set_dscp(dscp));
            }
            (SOL_IP, IP_TTL) => {
                self.socket_at_mut(fd)?.config.ttl = value as u8;
                self.on_connection(fd, |connection| connection.set_ttl(value as u8));
            }
            _ => {}
        }
        Ok(())
    }

    /// What is set on a listener goes for the connections that it has yet to take.
    fn tell_listener(&mut self, fd: i32) {
        if let Ok(socket) = self.socket_at(fd)
            && let State::Listening(id) = socket.state
        {
            self.host.set_listener_config(id, Arc::new(socket.config.clone()));
        }
    }

    fn on_connection(&mut self, fd: i32, work: impl FnOnce(&mut Connection)) {
        if let Some(id) = self.socket_at(fd).ok().and_then(|socket| socket.connection()) {
            self.act(id, |connection, _| work(connection));
        }
    }

    /// Linux takes twice what it is told, for its own overhead.
    fn set_buffer(&mut self, fd: i32, name: i64, value: i64) -> Result<(), Errno> {
        let bytes = usize::try_from(value).map_err(|_| Errno::EINVAL)? * 2;
        let connected = self.socket_at(fd)?.connection().is_some();
        let config = &mut self.socket_at_mut(fd)?.config;
        if name == SO_SNDBUF {
            (config.send_buffer_max, config.send_buffer_start) = (bytes, bytes);
        } else {
            (config.receive_buffer_max, config.receive_buffer_start) = (bytes, bytes);
        }
        if name == SO_SNDBUF {
            self.on_connection(fd, |connection| connection.set_send_buffer(bytes));
        } else if connected {
            self.lacks("a receive buffer that changes while connected");
        }
        Ok(())
    }

    fn set_keep_alive(
        &mut self,
        fd: i32,
        change: impl FnOnce(&mut Option<KeepAlive>),
    ) -> Result<(), Errno> {
        let config = &mut self.socket_at_mut(fd)?.config;
        change(&mut config.keep_alive);
        let keep_alive = config.keep_alive;
        if let Some(id) = self.socket_at(fd)?.connection() {
            self.act(id, |connection, cx| connection.set_keep_alive(cx, keep_alive));
        }
        Ok(())
    }

    /// `setsockopt(fd, SOL_SOCKET, SO_LINGER, …)`.
    ///
    /// # Errors
    /// EBADF.
    pub fn set_linger(&mut self, fd: i32, linger: Option<Duration>) -> Result<(), Errno> {
        self.socket_at_mut(fd)?.linger = linger;
        Ok(())
    }

    /// `setsockopt(2)` of bytes: the name of a congestion controller.
    ///
    /// # Errors
    /// EBADF.
    pub fn set_bytes(&mut self, fd: i32, level: i64, name: i64, bytes: &[u8]) -> Result<(), Errno> {
        self.socket_at_mut(fd)?.options.insert((level, name), 0);
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches('\0');
        match (text.parse(), (level, name)) {
            (Ok(algorithm), (SOL_TCP, TCP_CONGESTION)) => {
                self.socket_at_mut(fd)?.config.congestion = algorithm;
                if let Some(id) = self.socket_at(fd)?.connection() {
                    self.act(id, |connection, cx| connection.set_congestion(cx, algorithm));
                }
            }
            (Err(_), (SOL_TCP, TCP_CONGESTION)) => {
                self.lacks(format!("congestion control {text}"));
            }
            _ => self.lacks(format!("option {name} of level {level}")),
        }
        self.tell_listener(fd);
        Ok(())
    }

    /// The name of a socket's congestion controller; `None` if the descriptor is no socket.
    #[must_use]
    pub fn congestion_name(&self, fd: i32) -> Option<&'static str> {
        self.socket_at(fd).ok().map(|socket| socket.config.congestion.name())
    }

    /// `getsockopt(2)` of a number.
    ///
    /// # Errors
    /// EBADF.
    pub fn option(&mut self, fd: i32, level: i64, name: i64) -> Result<i64, Errno> {
        let socket = self.socket_at(fd)?;
        let set = socket.options.get(&(level, name)).copied();
        Ok(match (level, name) {
            (SOL_SOCKET, SO_ERROR) => self.take_error(fd)?,
            (SOL_SOCKET, SO_LINGER) => socket.linger.map_or(0, |time| time.as_secs() as i64),
            (SOL_SOCKET, SO_SNDBUF) => {
                set.map_or(socket.config.send_buffer_start as i64, |value| 2 * value)
            }
            (SOL_SOCKET, SO_RCVBUF) => {
                set.map_or(socket.config.receive_buffer_start as i64, |value| 2 * value)
            }
            (SOL_TCP, TCP_MAXSEG) => match self.connection(fd) {
                Some(connection) => i64::from(connection.info().mss),
                None => set.unwrap_or(536),
            },
            _ => set.unwrap_or(0),
        })
    }

    /// Why the connection failed, told once.
    fn take_error(&mut self, fd: i32) -> Result<i64, Errno> {
        let failure = self.failure(fd);
        let socket = self.socket_at_mut(fd)?;
        if std::mem::replace(&mut socket.error_told, failure.is_some()) {
            return Ok(0);
        }
        Ok(failure.map_or(0, |error| i64::from(errno_of(error).0)))
    }
}

fn set_probing(keep_alive: &mut KeepAlive, name: i64, value: i64) {
    let seconds = Duration::from_secs(value.unsigned_abs());
    match name {
        TCP_KEEPIDLE => keep_alive.idle = seconds,
        TCP_KEEPINTVL => keep_alive.interval = seconds,
        _ => keep_alive.count = u8::try_from(value).unwrap_or(u8::MAX),
    }
}
