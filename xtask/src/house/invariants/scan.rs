//! The paths that a Rust file writes, its re-exports and its items, as tokens tell them. Macros are
//! read like other code.

use std::{collections::HashMap, str::FromStr};

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What one file says, outside of its tests.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Absolute paths, as far as they begin with `crate`, `super` or `self` or are of a `use`; with the line, from 1.
    pub(super) paths: Vec<(Vec<String>, usize)>,
    /// What `use` brings in, by its name here.
    pub(super) names: HashMap<String, Vec<String>>,
    /// Modules of which `use` brings in everything.
    pub(super) globs: Vec<Vec<String>>,
    /// Names of the items of the file itself.
    pub(super) items: Vec<String>,
    /// Modules in other files that belong to tests.
    pub(super) test_modules: Vec<Vec<String>>,
}

const ITEMS: [&str; 8] = ["struct", "enum", "union", "trait", "fn", "type", "const", "static"];

impl Scan {
    pub(super) fn of(text: &str, module: &[String]) -> Result<Self> {
        let tokens = TokenStream::from_str(text).map_err(|error| anyhow!("no Rust: {error}"))?;
        let mut scan = Self::default();
        scan.walk(tokens, module, true);
        Ok(scan)
    }

    fn walk(&mut self, tokens: TokenStream, module: &[String], holds_items: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Punct(mark) if mark.as_char() == '#' => self.attribute(&tokens, at, module),
                TokenTree::Ident(word) if word == "use" => self.declaration(&tokens, at, module),
                TokenTree::Ident(word) if word == "mod" => self.inline_module(&tokens, at, module),
                TokenTree::Ident(word) if is_anchor(&word.to_string()) => self.path(&tokens, at, module),
                TokenTree::Ident(word) if holds_items && ITEMS.iter().any(|item| word == item) => {
                    self.items.extend(ident(&tokens, at + 1));
                    at + 1
                }
                TokenTree::Group(group) => {
                    self.walk(group.stream(), module, false);
                    at + 1
                }
                _ => at + 1,
            };
        }
    }

    /// Passes an attribute, and what stands under it where that is for tests.
    fn attribute(&mut self, tokens: &[TokenTree], at: usize, module: &[String]) -> usize {
        let Some(TokenTree::Group(group)) = tokens.get(at + 1) else {
            return at + 1;
        };
        let text: String = group.stream().to_string().split_whitespace().collect();
        if text != "cfg(test)" && !text.starts_with("cfg(all(test") {
            return at + 2;
        }
        let rest = &tokens[at + 2..];
        if let Some(word) = rest.iter().position(|token| is_word(token, "mod"))
            && let (Some(name), Some(TokenTree::Punct(_))) = (ident(rest, word + 1), rest.get(word + 2))
        {
            self.test_modules.push(child(module, &name));
        }
        at + 2 + item_length(rest)
    }

    /// `use a::{b, c as d, e::*};`
    fn declaration(&mut self, tokens: &[TokenTree], at: usize, module: &[String]) -> usize {
        let end = tokens[at..].iter().position(|token| is_mark(token, ';')).map_or(tokens.len(), |length| at + length);
        self.tree(&tokens[at + 1..end], &[], module);
        end
    }

    fn tree(&mut self, tokens: &[TokenTree], prefix: &[String], module: &[String]) {
        let mut path = prefix.to_vec();
        let mut name = None;
        let line = tokens.first().map_or(0, line);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    name = ident(tokens, at + 1);
                    at += 1;
                }
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(mark) if mark.as_char() == '*' => {
                    let path = absolute(&path, module);
                    self.globs.push(path.clone());
                    self.paths.push((path, line));
                    return;
                }
                TokenTree::Group(group) => {
                    let branches: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in branches.split(|token| is_mark(token, ',')).filter(|branch| !branch.is_empty()) {
                        self.tree(branch, &path, module);
                    }
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        // `a::{self}` is `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let path = absolute(&path, module);
        if let Some(name) = name.or_else(|| path.last().cloned()) {
            self.names.insert(name, path.clone());
        }
        self.paths.push((path, line));
    }

    fn inline_module(&mut self, tokens: &[TokenTree], at: usize, module: &[String]) -> usize {
        if let (Some(name), Some(TokenTree::Group(body))) = (ident(tokens, at + 1), tokens.get(at + 2)) {
            self.walk(body.stream(), &child(module, &name), false);
            return at + 3;
        }
        at + 1
    }

    /// A path in code, such as `crate::tensor::warp`.
    fn path(&mut self, tokens: &[TokenTree], at: usize, module: &[String]) -> usize {
        let mut path = Vec::new();
        let mut end = at;
        while let Some(word) = ident(tokens, end) {
            path.push(word);
            end += 1;
            if !(is_at(tokens, end, ':') && is_at(tokens, end + 1, ':')) {
                break;
            }
            end += 2;
        }
        if path.len() > 1 {
            self.paths.push((absolute(&path, module), line(&tokens[at])));
        }
        end.max(at + 1)
    }
}

/// A path from the crate's root; what begins with no anchor is kept as relative to `module`, and
/// may be of another crate.
fn absolute(path: &[String], module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path;
    while let [first, after @ ..] = rest {
        match first.as_str() {
            "crate" => base.clear(),
            "super" => drop(base.pop()),
            "self" => {}
            _ => break,
        }
        rest = after;
    }
    base.extend_from_slice(rest);
    base
}

/// Tokens of an item, its attributes included: to its body's end, or to a semicolon.
fn item_length(tokens: &[TokenTree]) -> usize {
    let is_declaration = tokens.iter().find_map(|token| match token {
        TokenTree::Ident(word) if word != "pub" => Some(word == "use"),
        _ => None,
    });
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && is_declaration != Some(true),
        token => is_mark(token, ';'),
    };
    tokens.iter().position(ends).map_or(tokens.len(), |last| last + 1)
}

fn is_anchor(word: &str) -> bool {
    matches!(word, "crate" | "super" | "self")
}

fn is_word(token: &TokenTree, expected: &str) -> bool {
    matches!(token, TokenTree::Ident(word) if word == expected)
}

fn is_mark(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == expected)
}

fn is_at(tokens: &[TokenTree], at: usize, expected: char) -> bool {
    tokens.get(at).is_some_and(|token| is_mark(token, expected))
}

fn ident(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(word)) => Some(word.to_string()),
        _ => None,
    }
}

fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

fn child(module: &[String], name: &str) -> Vec<String> {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let module = ["a".to_owned(), "b".to_owned()];
        let scan = Scan::of(text, &module).unwrap();
        scan.paths.iter().map(|(path, line)| format!("{line} {}", path.join("::"))).collect()
    }

    #[test]
    fn use_trees_are_unfolded() {
        let text = "use crate::x::{self, y::{Y, Z as W}, z::*};\npub(crate) use super::c::C;\nuse std::fs;";
        let expected = ["1 x", "1 x::y::Y", "1 x::y::Z", "1 x::z", "2 a::c::C", "3 a::b::std::fs"];
        assert_eq!(paths(text), expected);
    }

    #[test]
    fn paths_in_code_macros_and_inline_modules_count() {
        let text = "fn f() -> crate::x::X {\n println!(\"{}\", crate::y::g::<u8>());\n}\nmod n { use super::h; }";
        assert_eq!(paths(text), ["1 x::X", "2 y::g", "4 a::b::h"]);
    }

    #[test]
    fn tests_comments_and_texts_do_not_count() {
        let text = "/// crate::x\nconst T: &str = \"crate::x\";\n#[cfg(test)]\nuse crate::{x, y};\n\
                    #[cfg(test)]\n#[allow(unused)]\nmod tests { use crate::x; }\nuse crate::z;\npub(crate) fn f() {}";
        assert_eq!(paths(text), ["8 z"]);
    }

    #[test]
    fn a_file_of_tests_is_known_as_one() {
        let scan = Scan::of("#[cfg(test)]\nmod tests;\nmod code;", &["a".to_owned()]).unwrap();
        assert_eq!(scan.test_modules, [["a", "tests"]]);
    }
}
