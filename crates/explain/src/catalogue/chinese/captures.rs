//! What is said of captures, in Simplified Chinese.

use std::fmt::{self, Write};

use super::{Cast, name};
use crate::catalogue::{Capturing, Count, Heading, Reading, Size, Time};
use crate::finding::Severity;

pub(super) fn write(out: &mut dyn Write, reading: Reading<'_>) -> fmt::Result {
    match reading {
        Reading::Heading(heading) => out.write_str(heading_text(heading)),
        Reading::Severity(severity) => out.write_str(match severity {
            Severity::Note => "提示",
            Severity::Warn => "警告",
            Severity::Error => "错误",
        }),
        Reading::Frames(frames) => {
            out.write_str("报文 ")?;
            frames
                .iter()
                .enumerate()
                .try_for_each(|(i, frame)| write!(out, "{}{frame}", if i > 0 { "、" } else { "" }))
        }
        Reading::More(count) => write!(out, "另有 {} 处相同", Count(count)),
        Reading::NothingFound => write!(out, "没有异常"),
        Reading::Pause(time) => write!(out, "过了 {}", Time(time)),
        Reading::NotCaptured { bytes, from } => {
            let who = name(&Cast::default(), from);
            match bytes {
                Some(bytes) => write!(out, "{who}发出的 {} 不在抓包文件里", Size(bytes)),
                None => write!(out, "{who}发出内容的开头不在抓包文件里"),
            }
        }
        Reading::Digest { from, bytes, sha256 } => {
            let who = name(&Cast::default(), from);
            write!(out, "{who}：{} 字节，sha256 {sha256}", Count(bytes))
        }
        Reading::Shown { shown, of } => {
            write!(out, "显示了 {} 个连接，共 {} 个", Count(shown), Count(of))
        }
    }
}

const fn heading_text(heading: Heading) -> &'static str {
    match heading {
        Heading::Client => "客户端",
        Heading::Server => "服务器",
        Heading::Duration => "时长",
        Heading::Packets => "报文 →/←",
        Heading::Bytes => "字节 →/←",
        Heading::RoundTrip => "SYN→SYN-ACK",
        Heading::Resent => "重传",
        Heading::Verdict => "结论",
    }
}

pub(super) fn capture(out: &mut dyn Write, capture: Capturing<'_>) -> fmt::Result {
    match capture {
        Capturing::Begins { interface } => write!(out, "正在 {interface} 上抓包，按 Ctrl-C 结束"),
        Capturing::Saved { packets, bytes, files } => {
            let (packets, files) = (Count(packets), Count(files));
            write!(out, "{packets} 个包，{}，写入 {files} 个文件", Size(bytes))
        }
        Capturing::Dropped { dropped: 0, .. } => write!(out, "内核没有丢包"),
        Capturing::Dropped { dropped, of } => {
            write!(out, "{} 个包中有 {} 个因缓冲区不足被内核丢弃", Count(of), Count(dropped))
        }
    }
}
