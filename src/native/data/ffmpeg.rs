//! Videos, decoded by the installed `ffmpeg`, which reads more formats than any library we could link.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
    ops::ControlFlow,
    path::Path,
    process::{Command, Stdio},
};

use image::{DynamicImage, RgbImage, RgbaImage};

use super::media::Visit;
use crate::portrait::MAX_PIXELS;

const FFMPEG: &str = "ffmpeg";

/// Whether `ffmpeg` is installed.
pub(super) fn is_available() -> bool {
    answers(FFMPEG)
}

fn answers(program: &str) -> bool {
    let [input, output, errors] = [Stdio::null(), Stdio::null(), Stdio::null()];
    let status = Command::new(program).arg("-version").stdin(input).stdout(output).stderr(errors).status();
    status.is_ok_and(|status| status.success())
}

/// Shows `visit` the frames of a video until it breaks off.
pub(super) fn visit(path: &Path, visit: Visit<'_>) -> Result<(), String> {
    let failed = |error: io::Error| format!("{FFMPEG} could not be used: {error}");
    // `file:` keeps ffmpeg from taking the beginning of a name for a protocol.
    let mut input = OsString::from("file:");
    input.push(path);
    // A file rather than a pipe, which somebody would have to read while the frames come.
    let mut errors = tempfile::tempfile().map_err(failed)?;
    let mut child = Command::new(FFMPEG)
        .args(["-v", "error", "-nostdin", "-threads", "1", "-i"])
        .arg(input)
        // A row of PPM pictures: raw RGB, each behind its size.
        .args(["-map", "0:v:0", "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors.try_clone().map_err(failed)?)
        .spawn()
        .map_err(failed)?;
    let frames = child.stdout.take().map(|output| read_frames(BufReader::new(output), visit));
    if matches!(frames, Some(Ok(ControlFlow::Break(())) | Err(_))) {
        // Killing fails if it has ended by itself, which is just as well.
        let _ = child.kill();
    }
    let status = child.wait().map_err(failed)?;
    match frames {
        Some(Ok(ControlFlow::Break(()))) => Ok(()),
        Some(Ok(ControlFlow::Continue(()))) if status.success() => Ok(()),
        Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(error.to_string()),
        _ => Err(last_line(&mut errors).unwrap_or_else(|| format!("{FFMPEG} ended with {status}"))),
    }
}

/// What ffmpeg said last.
fn last_line(log: &mut File) -> Option<String> {
    let mut text = Vec::new();
    log.rewind().and_then(|()| log.read_to_end(&mut text)).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(|line| format!("{FFMPEG} says: {line}"))
}

fn read_frames(mut pipe: impl BufRead, visit: Visit<'_>) -> io::Result<ControlFlow<()>> {
    while let Some(frame) = read_frame(&mut pipe)? {
        if visit(Ok(frame)) == ControlFlow::Break(()) {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The next picture of the pipe: `P6`, width and height, 255, each with its end of line, then RGB.
fn read_frame(pipe: &mut impl BufRead) -> io::Result<Option<RgbaImage>> {
    let mut header = String::new();
    for _ in 0..3 {
        pipe.by_ref().take(32).read_line(&mut header)?;
    }
    if header.is_empty() {
        return Ok(None);
    }
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, format!("no PPM picture begins with {header:?}"));
    let numbers: Vec<&str> = header.split_whitespace().collect();
    let &["P6", width, height, "255"] = numbers.as_slice() else { return Err(invalid()) };
    let [width, height] = [width, height].map(str::parse::<u32>);
    let (Ok(width), Ok(height)) = (width, height) else { return Err(invalid()) };
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let problem = format!("is {width}x{height} pixels, more than 100 megapixels");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    let mut rgb = vec![0; width as usize * height as usize * 3];
    pipe.read_exact(&mut rgb)?;
    let image = RgbImage::from_raw(width, height, rgb).ok_or_else(invalid)?;
    Ok(Some(DynamicImage::from(image).into_rgba8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_a_pipe_are_told_apart_by_their_headers() {
        let mut pipe = b"P6\n2 1\n255\n".to_vec();
        pipe.extend([10, 20, 30, 10, 80, 54]);
        pipe.extend(b"P6\n1 1\n255\nabc");
        let mut frames = Vec::new();
        let outcome = read_frames(pipe.as_slice(), &mut |frame| {
            frames.push(frame.unwrap());
            ControlFlow::Continue(())
        });
        assert!(matches!(outcome, Ok(ControlFlow::Continue(()))));
        assert_eq!(frames[0].as_raw(), &[10, 20, 30, 255, 10, 80, 54, 255]);
        assert_eq!((frames.len(), frames[1].dimensions()), (2, (1, 1)));

        let error = |bytes: &[u8]| read_frame(&mut &bytes[..]).unwrap_err();
        assert_eq!(error(b"P5\n1 1\n255\nabc").kind(), io::ErrorKind::InvalidData);
        assert!(error(b"P6\n90000 90000\n255\n").to_string().contains("100 megapixels"));
        assert_eq!(error(b"P6\n4 4\n255\nabc").kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_program_that_is_not_there_is_not_available() {
        assert!(!answers("lfdm-has-no-program-of-this-name"));
    }

    #[test]
    fn videos_are_read_and_broken_ones_quote_ffmpeg() {
        if !is_available() {
            eprintln!("skipped: ffmpeg is not installed");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.mp4", "b:c.avi"] {
            let path = dir.path().join(name);
            let mut output = OsString::from("file:");
            output.push(&path);
            let made = Command::new(FFMPEG)
                .args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=32x24:rate=8:duration=1", "-c:v", "mpeg4"])
                .arg(output)
                .status()
                .unwrap();
            assert!(made.success());
            let mut sizes = Vec::new();
            super::visit(&path, &mut |frame| {
                sizes.push(frame.unwrap().dimensions());
                ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!(sizes, [(32, 24); 8], "{name}");

            let mut seen = 0;
            super::visit(&path, &mut |_| {
                seen += 1;
                ControlFlow::Break(())
            })
            .unwrap();
            assert_eq!(seen, 1);
        }
        let path = dir.path().join("broken.mp4");
        std::fs::write(&path, b"this is no video").unwrap();
        let message = super::visit(&path, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert!(message.starts_with("ffmpeg says: ") && message.contains("Invalid data"), "{message}");
    }
}
