//! What findings say, and what to do about them.

use std::fmt::{self, Write};
use std::time::Duration;

use super::super::findings::Findings;
use super::super::{Count, Size, Time};
use super::Chinese;
use crate::capture::dissect::About;
use crate::finding::Says;
use crate::finding::says::Refuser;
use crate::track::Side;

impl Findings for Chinese {
    fn write_finding(&self, out: &mut dyn Write, says: &Says) -> fmt::Result {
        match says {
            Says::Refused { .. }
            | Says::Unanswered { .. }
            | Says::KernelReset { .. }
            | Says::LastAckLost { .. }
            | Says::HalfOpen { .. }
            | Says::ShowsClosed { .. }
            | Says::OptionsMissing { .. } => opening(out, says),
            Says::Reset { .. }
            | Says::ForgedReset { .. }
            | Says::HalfClosed { .. }
            | Says::Unacknowledged { .. } => closing(out, says),
            Says::Flood { .. } | Says::Scan { .. } | Says::PredictableIsns { .. } => {
                several(out, says)
            }
            _ => moving(out, says),
        }
    }

    fn write_advice(&self, out: &mut dyn Write, says: &Says) -> fmt::Result {
        out.write_str(advice(says))
    }
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Client => "客户端",
        Side::Server => "服务器",
    }
}

const fn other(side: Side) -> &'static str {
    name(side.other())
}

fn opening(out: &mut dyn Write, says: &Says) -> fmt::Result {
    match says {
        Says::Refused { by, after, syns } => refused(out, *by, *after, *syns),
        Says::Unanswered { syns, waits } => {
            write!(out, "{} 个 SYN 都没有应答", Count(*syns))?;
            for (i, wait) in waits.iter().enumerate() {
                write!(out, "{}{}", if i == 0 { "，重发间隔 " } else { "、" }, Time(*wait))?;
            }
            Ok(())
        }
        Says::KernelReset { after } => write!(
            out,
            "客户端自己的系统在 SYN-ACK 之后 {} 重置了它：系统不知道有这个连接",
            Time(*after)
        ),
        Says::LastAckLost { syn_acks, opened } => {
            write!(out, "客户端已经应答，服务器仍发了 {} 次 SYN-ACK：", Count(*syn_acks))?;
            write!(out, "握手的最后一个 ACK 在抓包点之后丢失")?;
            write!(out, "{}", if *opened { "" } else { "，连接始终没有建立" })
        }
        Says::HalfOpen { syn_acks } => {
            write!(out, "SYN-ACK 来了 {} 次，客户端始终没有应答", Count(*syn_acks))
        }
        Says::ShowsClosed { after } => {
            write!(out, "端口先打开又关闭：SYN-ACK 之后 {} 来了 RST，还没有任何数据", Time(*after))
        }
        Says::OptionsMissing { window_scale, sack, timestamps } => {
            let missing = [(*window_scale, "窗口扩大"), (*sack, "SACK"), (*timestamps, "时间戳")];
            let names: Vec<_> =
                missing.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
            write!(out, "SYN 提出了{}，SYN-ACK 里却没有", names.join("、"))
        }
        _ => Ok(()),
    }
}

fn refused(out: &mut dyn Write, by: Refuser, after: Duration, syns: u64) -> fmt::Result {
    let after = Time(after);
    match by {
        Refuser::Port => write!(out, "被拒绝：SYN 之后 {after} 来了 RST，没有监听者")?,
        Refuser::Path { ttl, usual } => {
            write!(out, "SYN 之后 {after} 被途中的设备以服务器的名义拒绝：")?;
            write!(out, "其 TTL 为 {ttl}，服务器的是 {usual}")?;
        }
        Refuser::Icmp { from, about } => {
            let why = match about {
                About::PortUnreachable => "没有监听者",
                About::Prohibited => "被禁止",
                About::TooBig { .. } => "报文太大",
                About::TimeExceeded => "经过的路由器太多",
                About::Unreachable | About::Other => "不可达",
            };
            write!(out, "被拒绝：SYN 之后 {after}，{from} 用 ICMP 告知{why}")?;
        }
    }
    match syns {
        1 => Ok(()),
        n => write!(out, "；共 {} 个 SYN", Count(n)),
    }
}

fn closing(out: &mut dyn Write, says: &Says) -> fmt::Result {
    match says {
        Says::Reset { by, unread, closed } => {
            write!(out, "{}重置了连接", name(*by))?;
            if *closed {
                write!(out, "，此前它已经关闭")?;
            }
            match unread {
                0 => Ok(()),
                n => write!(out, "：有 {} 到达后不会再被读取", Size((*n).into())),
            }
        }
        Says::ForgedReset { named, ttl, usual } => {
            write!(out, "以{}名义发来的 RST 出自别处：", name(*named))?;
            write!(out, "其 TTL 为 {ttl}，平常是 {usual}")
        }
        Says::HalfClosed { by, time, ended } => {
            write!(out, "{}已关闭，{}过了 {} 还没有", name(*by), other(*by), Time(*time))?;
            write!(out, "{}", if *ended { "" } else { "，直到抓包结束也没有" })
        }
        Says::Unacknowledged { from, bytes, fin, times } => {
            let what = if *fin { "的 FIN" } else { "发出的数据" };
            write!(out, "{}{what}始终没有被确认：", name(*from))?;
            write!(out, "剩下 {}，重发了 {} 次", Size((*bytes).into()), Count(*times))
        }
        _ => Ok(()),
    }
}

fn moving(out: &mut dyn Write, says: &Says) -> fmt::Result {
    match says {
        Says::ZeroWindow { by, times, longest, still } => {
            write!(out, "{}有 {} 次没有空间，", name(*by), Count(*times))?;
            write!(out, "最长 {}", Time(*longest))?;
            write!(out, "{}", if *still { "，直到抓包结束也没有恢复" } else { "" })
        }
        Says::WindowLimited { by, times, window } => {
            write!(out, "{}有 {} 次填满了", other(*by), Count(*times))?;
            write!(out, "{}的窗口：至多 {}，限制了速度", name(*by), Size((*window).into()))
        }
        Says::Loss { from, resent, of, fast, longest } => {
            let percent = 100.0 * *resent as f64 / (*of).max(1) as f64;
            write!(out, "{}重发了 {} 个报文段", name(*from), Count(*resent))?;
            write!(out, "（{} 个中的 {percent:.1} %），", Count(*of))?;
            write!(out, "其中 {} 个由重复 ACK 引起", Count(*fast))?;
            match longest.is_zero() {
                true => Ok(()),
                false => write!(out, "，最久等了 {}", Time(*longest)),
            }
        }
        Says::Spurious { from, count, of } => {
            write!(out, "{}重发的 {} 个里，", name(*from), Count(*of))?;
            write!(out, "有 {} 个其实早已到达", Count(*count))
        }
        Says::Copies { of, count } => {
            write!(out, "{}的 {} 个报文被抓了两次", name(*of), Count(*count))
        }
        Says::BlackHole { from, size, times, told } => {
            write!(out, "{}发出的 {} 的报文段", name(*from), Size((*size).into()))?;
            write!(out, "到不了，更小的可以；其中一个重发了 {} 次", Count(*times))?;
            match told {
                Some((router, 0)) => write!(out, "；{router} 说它太大"),
                Some((router, mtu)) => write!(out, "；{router} 至多接受 {mtu} 字节"),
                None => Ok(()),
            }
        }
        Says::KeepAliveOnly { count, time } => {
            write!(out, "{} 内只有 {} 个保活探测", Time(*time), Count(*count))
        }
        Says::Asymmetric { seen } => {
            write!(out, "只抓到了{}的报文，尽管它得到了应答", name(*seen))
        }
        Says::Offloaded { of, packets } => {
            write!(out, "{}的 {} 个校验和不对，", name(*of), Count(*packets))?;
            write!(out, "正如由网卡填写校验和的机器上那样")
        }
        Says::Damaged { of, packets } => {
            write!(out, "{}的 {} 个报文到达时已损坏：校验和不对", name(*of), Count(*packets))
        }
        _ => Ok(()),
    }
}

fn several(out: &mut dyn Write, says: &Says) -> fmt::Result {
    match says {
        Says::Flood { target, syns, sources } => {
            write!(out, "来自 {} 个源地址、发往 {target} 的 ", Count(*sources))?;
            write!(out, "{} 个 SYN 没有下文：SYN 洪泛，或者服务器已经不在", Count(*syns))
        }
        Says::Scan { source, hosts, ports, open } => {
            write!(out, "{source} 尝试了 {} 台主机的 ", Count(*hosts))?;
            write!(out, "{} 个端口，{} 个有应答：端口扫描", Count(*ports), Count(*open))
        }
        Says::PredictableIsns { host, samples, step } => {
            write!(out, "{host} 的 ISN 可以猜到：{} 个连接里，", Count(*samples))?;
            match step {
                0 => write!(out, "连续几个完全相同"),
                step => write!(out, "连续几个每次增加 {step}"),
            }
        }
        _ => Ok(()),
    }
}

fn advice(says: &Says) -> &'static str {
    match says {
        Says::Refused { by: Refuser::Port, .. } => "确认服务器正在运行并监听该端口",
        Says::Refused { .. } => "询问管理中间防火墙的人",
        Says::Unanswered { .. } => "看看 SYN 是否到达：可能被防火墙丢弃，或者主机不在了",
        Says::KernelReset { .. } => "改用系统不拥有的地址，或者不让系统的 RST 发出去",
        Says::LastAckLost { .. } => "查找客户端到服务器方向的丢包",
        Says::HalfOpen { .. } => "看看 SYN-ACK 是否到达：路径不同、有过滤，或者源地址是伪造的",
        Says::ShowsClosed { .. } => "检查替服务器应答的代理、负载均衡或防火墙",
        Says::Reset { unread: 1.., .. } => "让程序读到末尾再关闭：有未读数据时 FIN 会变成 RST",
        Says::Reset { closed: true, .. } => "如果双方都已说完，就不必处理",
        Says::Reset { .. } => "查看重置方当时的日志",
        Says::ForgedReset { .. } => "查找途中终止连接的设备",
        Says::ZeroWindow { .. } => "查明那边的程序为什么不读取",
        Says::WindowLimited { .. } => "给接收方更大的缓冲区，或者交给系统调节",
        Says::Loss { .. } => "查找丢包的链路：误码、队列满，或者限速",
        Says::Spurious { .. } => "查找时延的突变或丢失的 ACK；时间戳和 SACK 对发送方有帮助",
        Says::BlackHole { .. } => "放行 ICMP，降低 MTU 或钳制 MSS；打开 MTU 探测（RFC 4821）",
        Says::HalfClosed { .. } => "确认另一端的程序读到末尾后会关闭",
        Says::KeepAliveOnly { .. } => "如果本来就该等待，就不必处理",
        Says::Unacknowledged { .. } => "看看另一端是否还在",
        Says::Asymmetric { .. } => "在两个方向都经过的地方抓包",
        Says::Offloaded { .. } => "不必处理：换个地方抓包，或者为了观察关闭卸载",
        Says::Copies { .. } => "不必处理：只在一处抓包，或者去掉副本",
        Says::Damaged { .. } => "检查线缆、内存，或者改写报文的设备",
        Says::OptionsMissing { .. } => "看看服务器是否发出了这些选项：若是，则在途中被去掉了",
        Says::Flood { .. } => "打开 SYN cookie，并在更靠近源头处过滤",
        Says::Scan { .. } => "若是自己所为就不必处理；否则确认开放的端口确实该开放",
        Says::PredictableIsns { .. } => "升级那个系统：它的连接可以被伪造",
    }
}
