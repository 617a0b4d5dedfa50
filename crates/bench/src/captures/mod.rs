//! Reading a large capture: us, tcpdump, tshark and tcptrace, on the same file.

pub(crate) mod analyse;
mod generate;
pub(crate) mod measure;

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use measure::{Spent, spent};

/// Read a large capture with every program, and tell packets per CPU second and peak memory.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The capture to read; it is made if it is not there
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Connections in a capture that is made
    #[arg(long, value_name = "NUMBER", default_value_t = 125_000)]
    connections: u32,

    /// Bytes of each packet that a capture that is made keeps
    #[arg(long, value_name = "BYTES", default_value_t = 65_535)]
    snap_len: u32,

    /// How often each is measured; the median counts
    #[arg(long, value_name = "TIMES", default_value_t = 3)]
    times: usize,

    /// Measure only those whose name contains one of these
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
}

/// What is measured.
struct Contender {
    name: String,
    command: Vec<String>,
}

fn contenders(file: &Path) -> io::Result<Vec<Contender>> {
    let file = file.display().to_string();
    let this = env::current_exe()?;
    let ours = this.with_file_name("handclasp").display().to_string();
    let this = this.display().to_string();
    let new = |name: &str, command: &[&str]| Contender {
        name: name.to_owned(),
        command: command.iter().map(|&word| word.to_owned()).collect(),
    };
    let fields = "tcp.stream,tcp.analysis.flags,tcp.completeness,tcp.analysis.ack_rtt";
    let mut tshark = vec!["tshark", "-n", "-r", &file, "-T", "fields"];
    tshark.extend(fields.split(',').flat_map(|field| ["-e", field]));
    Ok(vec![
        new("read the file (cat)", &["cat", &file]),
        new("handclasp flows", &[&ours, "flows", &file]),
        new("our library", &[&this, "analyse", &file]),
        new("tcpdump -nn", &["tcpdump", "-nn", "-r", &file]),
        new("tcptrace -n -l -r", &["tcptrace", "-n", "-l", "-r", &file]),
        new("tshark, fields", &tshark),
    ])
}

/// Runs the benchmark.
pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let default = env::temp_dir().join(format!("handclasp-bench-{}.pcap", args.connections));
    let file = args.file.clone().unwrap_or(default);
    if !file.exists() {
        eprintln!("making {} with {} connections", file.display(), args.connections);
        generate::write(&file, args.connections, args.snap_len)?;
    }
    let contents = analyse::count(&file)?;
    let megabytes = fs::metadata(&file)?.len() as f64 / 1e6;
    println!(
        "{}: {megabytes:.0} MB, {} packets, {} connections",
        file.display(),
        contents.packets,
        contents.connections
    );
    println!(
        "{:26} {:>8} {:>8} {:>14} {:>9} {:>8}",
        "", "wall s", "CPU s", "packets/CPU s", "peak MB", "× ours"
    );
    let mut ours = None;
    for contender in contenders(&file)? {
        let wanted = |only: &String| contender.name.contains(only.as_str());
        if !args.only.is_empty() && !args.only.iter().any(wanted) {
            continue;
        }
        match median(&contender, args.times) {
            Ok(spent) => line(&contender.name, &spent, contents.packets, &mut ours),
            Err(error) => println!("{:26} SKIPPED: {error}", contender.name),
        }
    }
    Ok(())
}

fn median(contender: &Contender, times: usize) -> Result<Spent, Box<dyn Error>> {
    let mut all = Vec::new();
    for _ in 0..times.max(1) {
        all.push(spent(&contender.command)?);
    }
    all.sort_by(|a, b| a.cpu().total_cmp(&b.cpu()));
    Ok(all.swap_remove(all.len() / 2))
}

fn line(name: &str, spent: &Spent, packets: u64, ours: &mut Option<f64>) {
    let cpu = spent.cpu().max(1e-3);
    let rate = packets as f64 / cpu;
    if name == "handclasp flows" {
        *ours = Some(cpu);
    }
    let times = ours.map_or_else(String::new, |ours| format!("{:.2}", cpu / ours));
    let memory = spent.memory as f64 / 1e6;
    println!("{name:26} {:>8.2} {cpu:>8.2} {rate:>14.0} {memory:>9.0} {times:>8}", spent.wall);
}
