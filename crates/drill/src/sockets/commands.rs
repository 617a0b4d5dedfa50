//! Settings of the host that the commands of scripts change.

use std::path::Path;
use std::time::Duration;

use handclasp_tcp::ecn::EcnMode;

use super::Sockets;

/// How deep scripts may name scripts.
const DEPTH: usize = 4;

impl Sockets {
    /// Does what a shell command would do for this host, and says what it left out. No shell is
    /// asked; scripts that are named are read in `folder`.
    pub fn command(&mut self, text: &str, folder: Option<&Path>) -> Vec<String> {
        let mut notes = Vec::new();
        self.shell(text, folder, DEPTH, &mut notes);
        notes
    }

    fn shell(&mut self, text: &str, folder: Option<&Path>, depth: usize, notes: &mut Vec<String>) {
        let text = text.replace("\\\n", " ");
        for line in text.lines().flat_map(|line| line.split([';', '|'])) {
            let words = words(line);
            let Some((program, arguments)) = words.split_first() else { continue };
            if program == "sysctl" || arguments.iter().any(|word| word.starts_with("/proc/sys")) {
                let pairs = arguments.iter().filter_map(|word| word.split_once('='));
                pairs.for_each(|(key, value)| self.sysctl(key, value, notes));
            } else if program.ends_with(".sh") && !program.contains("restore") {
                let path = folder.map(|folder| folder.join(program));
                match path.as_deref().map(std::fs::read_to_string) {
                    Some(Ok(script)) if depth > 0 => self.shell(&script, folder, depth - 1, notes),
                    _ => notes.push(format!("the script {program} was not run")),
                }
            } else if !["ip", "tc", "ethtool", "nstat", "true"].contains(&program.as_str())
                && !program.ends_with(".sh")
            {
                notes.push(format!("the command {program} was not run"));
            }
        }
    }

    fn sysctl(&mut self, key: &str, value: &str, notes: &mut Vec<String>) {
        let key = key.rsplit(['.', '/']).next().unwrap_or(key);
        let config = &mut self.config;
        let numbers: Vec<i64> = value.split_whitespace().filter_map(number).collect();
        let last = numbers.last().copied().unwrap_or(0);
        let (count, on) = (u8::try_from(last).unwrap_or(u8::MAX), last != 0);
        let bytes = usize::try_from(last).unwrap_or(0);
        let seconds = Duration::from_secs(last.unsigned_abs());
        match key {
            "tcp_rmem" => config.receive_buffer_max = bytes,
            "tcp_wmem" => {
                config.send_buffer_max = bytes;
                let start = numbers.get(1).and_then(|n| usize::try_from(*n).ok());
                config.send_buffer_start = start.unwrap_or(bytes);
            }
            "tcp_notsent_lowat" => {
                config.notsent_lowat = u32::try_from(last).ok().filter(|n| *n != u32::MAX);
            }
            "tcp_min_tso_segs" => config.burst_segments_min = count,
            "tcp_timestamps" => config.timestamps = on,
            "tcp_sack" => config.sack = on,
            "tcp_window_scaling" => config.window_scaling = on,
            "tcp_syn_retries" => config.syn_retries = count,
            "tcp_syn_linear_timeouts" => config.syn_linear_timeouts = count,
            "tcp_synack_retries" => config.syn_ack_retries = count,
            "tcp_recovery" => config.rack = on,
            "tcp_early_retrans" => config.tail_loss_probes = on,
            "tcp_frto" => config.f_rto = on,
            "tcp_retries1" => config.retries_warn = count,
            "tcp_retries2" => config.retries = count,
            // Linux has 0 mean 8.
            "tcp_orphan_retries" => config.orphan_retries = if count == 0 { 8 } else { count },
            "tcp_fin_timeout" => config.fin_wait_2 = seconds,
            "tcp_rto_min_us" => {
                config.rto_min = Duration::from_micros(last.unsigned_abs());
                config.rto_variation_min = config.rto_min;
            }
            "tcp_rto_max_ms" => config.rto_max = Duration::from_millis(last.unsigned_abs()),
            "tcp_congestion_control" => match value.parse() {
                Ok(algorithm) => config.congestion = algorithm,
                Err(_) => {
                    notes.push(format!("this stack does not have: congestion control {value}"));
                }
            },
            "tcp_slow_start_after_idle" => config.idle_restart = on,
            "tcp_ecn" => {
                config.ecn = match last {
                    0 => EcnMode::Off,
                    1 | 4 => EcnMode::Classic,
                    3 => EcnMode::Accurate,
                    _ => EcnMode::OnRequest,
                };
            }
            _ => {}
        }
    }
}

/// A shell's words: blanks part them, quotation marks hold them together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut depth = 0;
    for c in line.chars() {
        match (c, quote) {
            ('#', None) if word.is_empty() => break,
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(mark)) if c == mark => quote = None,
            (c, None) if c.is_whitespace() && depth == 0 => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            }
            _ => {
                depth += i32::from(c == '(') - i32::from(c == ')');
                word.push(c);
            }
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// A number, in hex too, or a product in `$((…))`.
fn number(text: &str) -> Option<i64> {
    if let Some(product) = text.strip_prefix("$((").and_then(|text| text.strip_suffix("))")) {
        return product.split('*').map(|factor| number(factor.trim())).product();
    }
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
