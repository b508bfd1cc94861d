//! Data on stdout and in files. Nothing else of the command writes to either.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use models::{Model, ModelError};
use reports::atomic::{self, AtomicFile};
use reports::figure::Figure;
use serde_json::Value;

use crate::failure::Failure;
use crate::host::Host;

/// Dots per inch of PNG figures: what journals ask of line art on screen.
pub(crate) const PNG_DOTS_PER_INCH: f64 = 300.0;

/// Writes text to stdout, all of it and at once.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))
}

/// Writes a JSON value and a line break to stdout.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}

/// Writes a file, whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    Ok(atomic::write_file(path, bytes)?)
}

/// Writes files that belong together: all of them or none.
pub(crate) fn write_together(files: &[(&Path, &[u8])]) -> Result<(), Failure> {
    Ok(atomic::write_files(files)?)
}

/// Refuses a file that could not be written, before the work that would fill it.
pub(crate) fn probe(path: &Path) -> Result<(), Failure> {
    // Dropped at once: the temporary file is gone again.
    AtomicFile::create(path)?;
    Ok(())
}

/// Kinds of figure file.
#[derive(Clone, Copy)]
enum Kind {
    Svg,
    Pdf,
    Png,
    Tikz,
}

/// Where a figure and its numbers go.
pub(crate) struct Picture {
    path: PathBuf,
    kind: Kind,
    numbers: PathBuf,
}

impl Picture {
    /// Refuses files that could not be written, before the work that would fill them.
    pub(crate) fn new(path: &Path) -> Result<Self, Failure> {
        let kind = match path.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => Kind::Svg,
            Some("pdf") => Kind::Pdf,
            Some("png") => Kind::Png,
            Some("tex") => Kind::Tikz,
            other => {
                return Err(Failure::input(format!(
                    "{}: got the ending \"{}\", expected one of: svg, pdf, png, tex; rename the file",
                    path.display(),
                    other.unwrap_or("")
                )));
            }
        };
        let numbers = path.with_extension("csv");
        probe(path)?;
        probe(&numbers)?;
        Ok(Self { path: path.to_owned(), kind, numbers })
    }
}

/// Writes a figure and its numbers: both or none.
pub(crate) fn write_figure(picture: &Picture, figure: &dyn Figure, host: Host) -> Result<(), Failure> {
    let numbers = figure.to_csv()?;
    let bytes = match picture.kind {
        Kind::Svg => figure.to_svg()?.into_bytes(),
        Kind::Pdf => figure.to_pdf()?,
        Kind::Png => figure.to_png(PNG_DOTS_PER_INCH)?,
        Kind::Tikz => figure.to_tikz()?.into_bytes(),
    };
    write_together(&[(&picture.path, &bytes), (&picture.numbers, numbers.as_bytes())])?;
    host.note(format!("figure in {}, its numbers in {}", picture.path.display(), picture.numbers.display()));
    Ok(())
}

/// Refuses a folder that could not be made, before the work that would fill it.
pub(crate) fn probe_folder(folder: &Path) -> Result<(), Failure> {
    match folder.ancestors().find(|ancestor| ancestor.exists()) {
        Some(ancestor) if !ancestor.is_dir() => Err(Failure::input(format!(
            "{}: cannot be a folder, since {} is none; name another folder",
            folder.display(),
            ancestor.display()
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Writes files into a folder, which is made where it is not there: all of them or none.
pub(crate) fn write_folder<'f>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'f str, &'f [u8])>,
) -> Result<(), Failure> {
    Ok(atomic::write_folder(folder, &files.into_iter().collect::<Vec<_>>())?)
}

/// Where text goes while it is being generated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Live {
    /// To stdout, as soon as a character is complete.
    Stdout,
    /// Nowhere: it stands in the report.
    Held,
}

/// Text that grows token by token.
pub(crate) struct TextStream<'m> {
    model: &'m Model,
    live: Live,
    tokens: Vec<u32>,
    printed_bytes: usize,
}

impl<'m> TextStream<'m> {
    /// An empty text in a model's tokens.
    pub(crate) fn new(model: &'m Model, live: Live) -> Self {
        Self { model, live, tokens: Vec::new(), printed_bytes: 0 }
    }

    /// Adds a token.
    pub(crate) fn push(&mut self, token: u32) -> Result<(), Failure> {
        self.tokens.push(token);
        match self.live {
            Live::Held => Ok(()),
            Live::Stdout => {
                let bytes = self.bytes()?;
                let whole = bytes.len() - incomplete_tail(&bytes);
                self.print(&bytes[..whole])
            }
        }
    }

    /// Prints what is left and gives the whole text.
    pub(crate) fn finish(mut self) -> Result<(String, usize), Failure> {
        let bytes = self.bytes()?;
        if self.live == Live::Stdout {
            self.print(&bytes)?;
        }
        Ok((String::from_utf8_lossy(&bytes).into_owned(), self.tokens.len()))
    }

    fn bytes(&self) -> Result<Vec<u8>, ModelError> {
        // From the first token on: how a token is written can depend on the one before it.
        self.model.tokenizer.decode_bytes(&self.tokens)
    }

    fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.len() > self.printed_bytes {
            print(&String::from_utf8_lossy(&bytes[self.printed_bytes..]))?;
            self.printed_bytes = bytes.len();
        }
        Ok(())
    }
}

/// Bytes at the end that are the beginning of a character.
fn incomplete_tail(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        Some(chunk) if chunk.invalid().len() < 4 && bytes.ends_with(chunk.invalid()) => {
            match std::str::from_utf8(chunk.invalid()) {
                Err(error) if error.error_len().is_none() => chunk.invalid().len(),
                Ok(_) | Err(_) => 0,
            }
        }
        Some(_) | None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::incomplete_tail;

    #[test]
    fn only_the_beginning_of_a_character_waits() {
        let euro = "€".as_bytes();
        let cases: [(&[u8], usize); 6] =
            [(b"", 0), (b"abc", 0), (&euro[..1], 1), (&euro[..2], 2), (euro, 0), (b"a\xff", 0)];
        for (bytes, expected) in cases {
            assert_eq!(incomplete_tail(bytes), expected, "{bytes:?}");
        }
        println!("compared {} tails", cases.len());
    }
}
