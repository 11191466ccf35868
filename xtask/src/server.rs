//! A static server for the page while one works on it: the sources as they are, so that a reload shows what changed.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

/// A browser that opens a connection ahead and says nothing must not hold a thread forever.
const SILENCE: Duration = Duration::from_secs(30);
/// Longer ones are no requests of a browser.
const LONGEST_LINE: u64 = 8192;

/// Where `/` is, and other places under it: `("pkg", "../pkg")`.
pub(crate) struct Site {
    pub(crate) root: PathBuf,
    pub(crate) mounts: Vec<(&'static str, PathBuf)>,
}

impl Site {
    /// Answers requests until the process ends.
    pub(crate) fn serve(&self, listener: &TcpListener) -> Result<()> {
        thread::scope(|threads| {
            for connection in listener.incoming() {
                let connection = connection.context("cannot accept connections")?;
                threads.spawn(|| self.answer(connection));
            }
            Ok(())
        })
    }

    /// One request a connection; whoever hangs up has lost interest, which is no error.
    fn answer(&self, mut connection: TcpStream) {
        let _ = connection.set_read_timeout(Some(SILENCE));
        if let Ok(request) = read_request(&connection) {
            let _ = self.respond(&request, &mut connection);
        }
    }

    fn respond(&self, request: &str, to: &mut impl Write) -> io::Result<()> {
        let mut words = request.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, kind, body) = match self.file(target).map(|path| (fs::read(&path), path)) {
            _ if !matches!(method, "GET" | "HEAD") => ("405 Method Not Allowed", "text/plain", b"GET only".to_vec()),
            Some((Ok(body), path)) => ("200 OK", mime(&path), body),
            _ => ("404 Not Found", "text/plain", b"not found".to_vec()),
        };
        write!(
            to,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
             Connection: close\r\n\r\n",
            body.len()
        )?;
        if method != "HEAD" {
            to.write_all(&body)?;
        }
        to.flush()
    }

    /// The file that a request asks for; none outside of the site.
    fn file(&self, target: &str) -> Option<PathBuf> {
        let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
        let is_plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_plain || path.contains('%') {
            return None;
        }
        let mounted = self.mounts.iter().find_map(|(name, folder)| {
            let rest = path.strip_prefix(name)?.strip_prefix('/')?;
            Some(folder.join(rest))
        });
        let file = mounted.unwrap_or_else(|| self.root.join(path));
        Some(if file.is_dir() { file.join("index.html") } else { file })
    }
}

/// The first line; the others are read and left.
fn read_request(connection: &TcpStream) -> io::Result<String> {
    let mut lines = BufReader::new(connection).take(8 * LONGEST_LINE);
    let mut first = String::new();
    lines.read_line(&mut first)?;
    let mut header = String::new();
    while lines.read_line(&mut header)? > 2 {
        header.clear();
    }
    Ok(first)
}

fn mime(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webm") => "video/webm",
        Some("mp4") => "video/mp4",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A site of two folders, in a directory that goes with it.
    fn site() -> Result<(xshell::TempDir, Site)> {
        let directory = xshell::Shell::new()?.create_temp_dir()?;
        let [www, pkg] = ["www", "pkg"].map(|name| directory.path().join(name));
        for folder in [&www.join("app"), &pkg] {
            fs::create_dir_all(folder)?;
        }
        fs::write(www.join("index.html"), "the page")?;
        fs::write(www.join("app/main.js"), "main")?;
        fs::write(pkg.join("lfdm_bg.wasm"), "module")?;
        fs::write(directory.path().join("secret"), "secret")?;
        Ok((directory, Site { root: www, mounts: vec![("pkg", pkg)] }))
    }

    fn ask(site: &Site, request: &str) -> Result<String> {
        let mut answer = Vec::new();
        site.respond(request, &mut answer)?;
        Ok(String::from_utf8(answer)?)
    }

    #[test]
    fn files_come_with_their_types() -> Result<()> {
        let (_directory, site) = site()?;
        for (path, kind, body) in [
            ("/", "text/html", "the page"),
            ("/?device=cpu", "text/html", "the page"),
            ("/app/main.js", "text/javascript", "main"),
            ("/pkg/lfdm_bg.wasm", "application/wasm", "module"),
        ] {
            let answer = ask(&site, &format!("GET {path} HTTP/1.1"))?;
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
            assert!(answer.contains(&format!("Content-Type: {kind}")), "{path}: {answer}");
            assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{path}: {answer}");
        }
        assert!(ask(&site, "HEAD / HTTP/1.1")?.ends_with("\r\n\r\n"));
        Ok(())
    }

    #[test]
    fn nothing_outside_of_the_site_is_served() -> Result<()> {
        let (_directory, site) = site()?;
        for path in ["/../secret", "/pkg/../../secret", "//etc/passwd", "/%2e%2e/secret", "/absent", "secret", ""] {
            let answer = ask(&site, &format!("GET {path} HTTP/1.1"))?;
            assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        }
        assert!(ask(&site, "POST / HTTP/1.1")?.starts_with("HTTP/1.1 405"));
        Ok(())
    }
}
