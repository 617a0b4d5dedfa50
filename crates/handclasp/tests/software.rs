//! Software that others wrote, on our streams and at the other end of them: hyper, rustls, curl,
//! nginx, Python.
#![cfg(target_os = "linux")]

mod common;

use std::sync::Arc;

use common::programs::{Directory, Running, curl, listens};
use common::transfer::{OURS, PEERS};
use common::{Link, isolated, isolated_on, network, ours, peer, run, run_on_threads};
use handclasp::device::channel;
use handclasp::wire::frame::Medium;
use handclasp::{Stack, TcpListener};
use handclasp_lab::isolated::Need;
use handclasp_lab::lab::{Lab, PEER_IPV4, PEER_IPV6};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Bytes of what is fetched: several windows of it.
const LEN: usize = 3_000_000;

fn pattern(of: handclasp_lab::pattern::Pattern) -> Vec<u8> {
    let mut bytes = vec![0; LEN];
    of.fill(0, &mut bytes);
    bytes
}

/// hyper's service: what is posted comes back, what is got is ours.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = match *request.method() {
        Method::POST => request.into_body().collect().await?.to_bytes(),
        _ => pattern(OURS).into(),
    };
    Ok(Response::new(Full::new(body)))
}

async fn serve_http(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let http = hyper::server::conn::http1::Builder::new();
    // A client that goes away in the middle is its own affair.
    let _ = http.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

/// hyper serves whoever connects, through TLS if there is an acceptor.
fn serve(listener: TcpListener, tls: Option<TlsAcceptor>) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                match tls {
                    Some(tls) => serve_http(tls.accept(stream).await.unwrap()).await,
                    None => serve_http(stream).await,
                }
            });
        }
    });
}

/// hyper fetches over `stream`, twice on one connection.
async fn fetch(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, path: &str) -> Bytes {
    let http = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = http.await.unwrap();
    tokio::spawn(connection);
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let request = Request::get(path).header("host", "peer");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        bodies.push(response.into_body().collect().await.unwrap().to_bytes());
    }
    assert!(bodies[0] == bodies[1]);
    bodies.remove(0)
}

async fn curl_fetches(link: Link, v6: bool) {
    let (lab, stack) = network(link);
    serve(stack.listen(ours(v6, 80)).unwrap(), None);
    let url = format!("http://{}/", ours(v6, 80));
    // The second is fetched over the same connection.
    let fetched = curl(&lab, &[&url, &url]).await;
    assert!(fetched == [pattern(OURS), pattern(OURS)].concat());
    assert_eq!(stack.counters().tcp_passive_opens, 1);
}

#[test]
fn curl_fetches_from_hyper_on_our_stack() {
    let isolated = isolated().needs(Need::Program("curl"));
    isolated.run(|| run(curl_fetches(Link::Packet, false)));
}

#[test]
fn curl_fetches_from_hyper_on_our_stack_over_tun_and_ipv6() {
    let isolated = isolated_on(Link::Tun).needs(Need::Program("curl"));
    isolated.run(|| run_on_threads(curl_fetches(Link::Tun, true)));
}

#[test]
fn what_curl_posts_to_hyper_on_our_stack_comes_back() {
    isolated().needs(Need::Program("curl")).run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            serve(stack.listen(ours(false, 80)).unwrap(), None);
            let directory = Directory::new();
            let file = directory.write("post", pattern(PEERS));
            let data = format!("@{}", file.display());
            let url = format!("http://{}/", ours(false, 80));
            let back = curl(&lab, &["--data-binary", &data, &url]).await;
            assert!(back == pattern(PEERS));
        });
    });
}

#[test]
fn curl_fetches_many_at_once() {
    isolated().needs(Need::Program("curl")).run(|| {
        run_on_threads(async {
            let (lab, stack) = network(Link::Packet);
            serve(stack.listen(ours(false, 80)).unwrap(), None);
            let url = format!("http://{}/[1-20]", ours(false, 80));
            let arguments = ["--parallel", "--parallel-immediate", "-o", "/dev/null"];
            let written = ["--write-out", "%{size_download}\n"];
            let sizes = curl(&lab, &[&arguments[..], &written, &[&url]].concat()).await;
            assert_eq!(String::from_utf8(sizes).unwrap(), format!("{LEN}\n").repeat(20));
        });
    });
}

/// nginx at the kernel's end, with `file` at its root and, where there is a certificate, TLS.
fn nginx(
    lab: &Lab,
    directory: &Directory,
    tls: Option<&rcgen::CertifiedKey<rcgen::KeyPair>>,
) -> Running {
    let root = directory.path().display();
    directory.write("file", pattern(PEERS));
    let mut extra = String::new();
    if let Some(tls) = tls {
        directory.write("cert.pem", tls.cert.pem());
        directory.write("key.pem", tls.signing_key.serialize_pem());
        extra = format!(
            "listen {PEER_IPV4}:443 ssl; ssl_certificate {root}/cert.pem; \
             ssl_certificate_key {root}/key.pem;"
        );
    }
    let config = format!(
        "daemon off; master_process off; pid {root}/pid; error_log stderr;
         events {{}}
         http {{
           access_log off;
           client_body_temp_path {root}/1; proxy_temp_path {root}/2; fastcgi_temp_path {root}/3;
           uwsgi_temp_path {root}/4; scgi_temp_path {root}/5;
           server {{ listen {PEER_IPV4}:80; listen [{PEER_IPV6}]:80; {extra} root {root}; }}
         }}"
    );
    let config = directory.write("nginx.conf", config);
    Running::start(lab.command("nginx").unwrap().arg("-e").arg("stderr").arg("-c").arg(config))
}

async fn fetch_from_nginx(link: Link, v6: bool) {
    let (lab, stack) = network(link);
    let directory = Directory::new();
    let _nginx = nginx(&lab, &directory, None);
    listens(&lab, 80).await;
    let stream = stack.connect(peer(v6, 80)).await.unwrap();
    assert!(fetch(stream, "/file").await == pattern(PEERS));
}

#[test]
fn hyper_on_our_stack_fetches_from_nginx() {
    let isolated = isolated().needs(Need::Program("nginx"));
    isolated.run(|| run(fetch_from_nginx(Link::Packet, false)));
}

#[test]
fn hyper_on_our_stack_fetches_from_nginx_over_tun_and_ipv6() {
    let isolated = isolated_on(Link::Tun).needs(Need::Program("nginx"));
    isolated.run(|| run(fetch_from_nginx(Link::Tun, true)));
}

#[test]
fn we_fetch_from_python() {
    isolated().needs(Need::Program("python3")).run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let directory = Directory::new();
            directory.write("file", pattern(PEERS));
            let mut command = lab.command("python3").unwrap();
            command.args(["-m", "http.server", "8000", "--bind", &PEER_IPV4.to_string()]);
            command.arg("--directory").arg(directory.path());
            let _python = Running::start(command.stderr(std::process::Stdio::null()));
            listens(&lab, 8000).await;
            let mut stream = stack.connect(peer(false, 8000)).await.unwrap();
            stream.write_all(b"GET /file HTTP/1.0\r\n\r\n").await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert!(answer.starts_with(b"HTTP/1.0 200 OK\r\n"));
            assert!(answer.ends_with(&pattern(PEERS)));
        });
    });
}

/// A certificate for the address of our end and the kernel's.
fn certificate() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    let names = [ours(false, 0), peer(false, 0)].map(|address| address.ip().to_string());
    rcgen::generate_simple_self_signed(names).unwrap()
}

fn acceptor(own: &rcgen::CertifiedKey<rcgen::KeyPair>) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn connector(trusted: &CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn name(of: std::net::SocketAddr) -> ServerName<'static> {
    ServerName::IpAddress(of.ip().into())
}

#[test]
fn curl_fetches_through_tls_from_hyper_on_our_stack() {
    isolated().needs(Need::Program("curl")).run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let certificate = certificate();
            serve(stack.listen(ours(false, 443)).unwrap(), Some(acceptor(&certificate)));
            let url = format!("https://{}/", ours(false, 443));
            let directory = Directory::new();
            let trusted = directory.write("cert.pem", certificate.cert.pem());
            let fetched = curl(&lab, &["--cacert", trusted.to_str().unwrap(), &url]).await;
            assert!(fetched == pattern(OURS));
        });
    });
}

#[test]
fn hyper_on_our_stack_fetches_through_tls_from_nginx() {
    isolated().needs(Need::Program("nginx")).run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let (directory, certificate) = (Directory::new(), certificate());
            let _nginx = nginx(&lab, &directory, Some(&certificate));
            listens(&lab, 443).await;
            let to = peer(false, 443);
            let stream = stack.connect(to).await.unwrap();
            let tls = connector(certificate.cert.der());
            let stream = tls.connect(name(to), stream).await.unwrap();
            assert!(fetch(stream, "/file").await == pattern(PEERS));
        });
    });
}

#[tokio::test]
async fn hyper_and_rustls_talk_between_two_of_our_stacks() {
    let (here, there) = channel::pair(64, 1500, Medium::Ethernet);
    let stack = |device, address| Stack::builder(device).address(address).spawn().unwrap();
    let client = stack(here, "10.77.0.1/24".parse().unwrap());
    let server = stack(there, "10.77.0.2/24".parse().unwrap());
    let (certificate, to) = (certificate(), peer(false, 443));
    serve(server.listen(to).unwrap(), Some(acceptor(&certificate)));
    let stream = client.connect(to).await.unwrap();
    let tls = connector(certificate.cert.der());
    let stream = tls.connect(name(to), stream).await.unwrap();
    assert!(fetch(stream, "/").await == pattern(OURS));
}
