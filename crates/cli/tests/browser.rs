//! The page that `handclasp report` writes, in a browser.
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{Run, command, scratch, skip};
use serde_json::{Value, json};

/// Browsers that can be driven through a pipe.
const BROWSERS: [&str; 4] =
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

/// A browser with one page, driven by Chrome's protocol: messages that end with a zero byte.
struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: Value,
    next: u64,
    /// What the page said of its own accord.
    events: Vec<Value>,
}

impl Browser {
    /// Nothing where no browser is installed, or none starts.
    fn open(test: &str, folder: &Path) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = BROWSERS
            .iter()
            .find(|name| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
        let Some(program) = found else {
            skip(test, format!("no browser is installed ({})", BROWSERS.join(", ")));
            return None;
        };
        let pipes = ["in", "out"].map(|name| folder.join(name));
        let made = Command::new("mkfifo").args(&pipes).status().expect("mkfifo");
        assert!(made.success());
        // Descriptors 3 and 4 are where a browser looks for its pipe.
        let script = "exec \"$0\" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
                      --window-size=1280,1000 --remote-debugging-pipe --user-data-dir=\"$3\" \
                      3<\"$1\" 4>\"$2\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, program]).args(&pipes).arg(folder.join("profile"));
        let child = shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = child.spawn().expect("a shell");
        let to = File::options().write(true).open(&pipes[0]).expect("a pipe");
        let from = BufReader::new(File::open(&pipes[1]).expect("a pipe"));
        let (session, events) = (Value::Null, Vec::new());
        let mut browser = Self { child, to, from, session, next: 0, events };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.call("Target.attachToTarget", attach)["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    fn message(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).expect("a message");
        assert_eq!(bytes.pop(), Some(0), "the browser is gone");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).expect("the browser reads");
        loop {
            let mut answer = self.message();
            if answer["id"] == self.next {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    /// What an expression is worth on the page.
    fn value(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut result = self.call("Runtime.evaluate", params);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].take()
    }

    fn visit(&mut self, path: &Path) {
        self.call("Page.navigate", json!({ "url": format!("file://{}", path.display()) }));
        while self.value("document.readyState") != "complete" {
            self.message_until("Page.loadEventFired");
        }
    }

    fn message_until(&mut self, method: &str) {
        while !self.events.iter().any(|event| event["method"] == method) {
            let event = self.message();
            self.events.push(event);
        }
    }

    fn key(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": key });
            if kind == "keyDown" && key.len() == 1 {
                event["text"] = key.into();
            }
            if key == "Enter" && kind == "keyDown" {
                event["text"] = "\r".into();
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    fn mouse(&mut self, kind: &str, x: f64, y: f64) {
        let buttons = u8::from(kind != "mouseReleased");
        let params = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": buttons,
            "clickCount": 1 });
        self.call("Input.dispatchMouseEvent", params);
    }

    /// Errors on the console, and what the page asked a network for.
    fn complaints(&mut self) -> Vec<String> {
        let bad = |event: &Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Log.entryAdded") => true,
            Some("Runtime.consoleAPICalled") => event["params"]["type"] == "error",
            Some("Network.requestWillBeSent") => {
                let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
                !url.starts_with("file://") && !url.starts_with("data:") && url != "about:blank"
            }
            _ => false,
        };
        self.events.iter().filter(|event| bad(event)).map(Value::to_string).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It is this test's own, and nothing in it is to be kept.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The page about a capture of our own stack over a bad link, or about the given packets.
fn page(folder: &Path, words: &[&str]) -> PathBuf {
    let page = folder.join("report.html");
    let run = Run::of(command().arg("report").args(words).arg("-o").arg(&page));
    assert_eq!(run.code, 0, "{run}");
    page
}

fn lab_capture(folder: &Path) -> Option<PathBuf> {
    let path = folder.join("lab.pcapng");
    let words = ["lab", "--bytes", "300kB", "--loss", "2%", "--seed", "3", "--write"];
    let run = common::handclasp(&[&words[..], &[path.to_str().unwrap()]].concat())?;
    assert_eq!(run.code, 0, "{run}");
    Some(path)
}

#[test]
fn a_connection_is_opened_pictured_and_zoomed_without_an_error() {
    let test = "a_connection_is_opened_pictured_and_zoomed_without_an_error";
    let folder = scratch("browser");
    let Some(capture) = lab_capture(&folder) else { return };
    let page = page(&folder, &[capture.to_str().unwrap()]);
    let Some(mut browser) = Browser::open(test, &folder) else { return };
    browser.visit(&page);
    assert_eq!(browser.value("document.querySelectorAll('#rows tr').length"), 1);
    // A connection, by the keyboard.
    browser.value("document.querySelector('#rows a').focus()");
    browser.key("Enter");
    browser.value("new Promise((done) => setTimeout(done))");
    assert_eq!(browser.value("location.hash.slice(0, 3)"), "#c0");
    let arrows = browser.value("document.querySelectorAll('.ladder .arrow').length");
    assert!(arrows.as_u64() > Some(5), "{arrows}");
    // Its graphs.
    for graph in ["sequence", "throughput", "rtt", "window"] {
        browser.value(&format!("document.getElementById('tab-{graph}').click()"));
        let lines = browser.value("document.querySelectorAll('#panel g .l').length");
        assert!(lines.as_u64() > Some(0), "{graph}");
    }
    browser.value("document.getElementById('tab-sequence').click()");
    let resent = browser.value("document.querySelector('#panel .l.k1').getAttribute('d').length");
    assert!(resent.as_u64() > Some(0), "something was sent again");
    zoom(&mut browser);
    assert_eq!(browser.complaints(), [""; 0]);
    drop(browser);
    // Its helpers may be writing still.
    let _ = fs::remove_dir_all(folder);
}

/// Zooms with keys and with the mouse, and out again.
fn zoom(browser: &mut Browser) {
    let view = "document.querySelector('#panel svg').dataset.view.split(' ').map(Number)";
    let span = |browser: &mut Browser| {
        browser.value(&format!("(([a, b]) => b - a)({view})")).as_f64().expect("a number")
    };
    let all = span(browser);
    browser.value("document.querySelector('#panel svg').focus()");
    browser.key("+");
    let closer = span(browser);
    assert!(closer < 0.7 * all, "{closer} of {all}");
    let scroll = "document.querySelector('#panel svg').scrollIntoView({ block: 'center' })";
    browser.value(scroll);
    let corner = "(({ x, y, width, height }) => [x, y, width, height])\
                  (document.querySelector('#panel svg').getBoundingClientRect())";
    let corner = browser.value(corner);
    let [x, y, w, h] = [0, 1, 2, 3].map(|i| corner[i].as_f64().expect("a number"));
    browser.mouse("mousePressed", x + 0.4 * w, y + 0.3 * h);
    browser.mouse("mouseMoved", x + 0.5 * w, y + 0.5 * h);
    browser.mouse("mouseReleased", x + 0.6 * w, y + 0.7 * h);
    let part = span(browser);
    assert!(part < 0.5 * closer, "{part} of {closer}");
    browser.key("0");
    assert_eq!(span(browser), all);
}

#[test]
fn nothing_from_the_network_becomes_markup() {
    let test = "nothing_from_the_network_becomes_markup";
    let folder = scratch("markup");
    let capture = hostile(&folder);
    let page = page(&folder, &[capture.to_str().unwrap()]);
    let mut text = String::new();
    File::open(&page).unwrap().read_to_string(&mut text).unwrap();
    assert!(!text.contains("<img src=x"), "markup from a packet");
    assert_eq!(text.matches("</script>").count(), 2);
    let Some(mut browser) = Browser::open(test, &folder) else { return };
    browser.visit(&page);
    browser.value("location.hash = '#c0'");
    browser.value("new Promise((done) => setTimeout(done))");
    let said = browser.value("document.querySelector('.ladder').textContent");
    assert!(said.as_str().is_some_and(|said| said.contains("<img src=x")), "{said}");
    assert_eq!(browser.value("document.images.length"), 0);
    assert_eq!(browser.value("window.hurt === undefined"), true);
    assert_eq!(browser.complaints(), [""; 0]);
    drop(browser);
    // Its helpers may be writing still.
    let _ = fs::remove_dir_all(folder);
}

/// A capture whose name and payload are markup.
fn hostile(folder: &Path) -> PathBuf {
    let path = folder.join("a<b onload=hurt(1)>&'.pcap");
    let payload = b"<img src=x onerror=hurt=1>\r\n</script><script>hurt=1</script>";
    let mut packet = vec![0x45, 0, 0, 40 + payload.len() as u8, 0, 1, 0, 0, 64, 6, 0, 0];
    packet.extend([10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1]);
    packet.extend([0x50, 0x18, 1, 0, 0, 0, 0, 0]);
    packet.extend(payload);
    let len = packet.len() as u32;
    let words = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101, 1, 0, len, len];
    let mut file: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    file.extend(packet);
    fs::write(&path, file).unwrap();
    path
}
