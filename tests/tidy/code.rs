//! Rust sources as far as the tests of order need them: code without comments, texts and test modules.

/// One source file.
pub(crate) struct Source {
    /// `src/map/json.rs`.
    pub(crate) path: String,
    /// Without comments, texts, and what stands under `cfg(test)`.
    pub(crate) code: String,
    /// Files of modules that exist for tests only.
    pub(crate) test_files: Vec<String>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let (code, modules) = without_tests(&without_texts(text));
        let folder = match path.strip_suffix("/mod.rs") {
            Some(folder) => folder,
            None => path.strip_suffix(".rs").unwrap_or(path),
        };
        let test_files = modules.iter().map(|name| format!("{folder}/{name}.rs")).collect();
        Self { path: path.to_owned(), code, test_files }
    }

    /// The names of the modules on the way to this one.
    fn way(&self) -> Vec<&str> {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        if matches!(inner, "lib" | "main") { Vec::new() } else { inner.split('/').collect() }
    }

    /// The top-level module; none for `lib.rs` and `main.rs`.
    pub(crate) fn module(&self) -> Option<&str> {
        self.way().first().copied()
    }

    pub(crate) fn depth(&self) -> usize {
        self.way().len()
    }
}

/// Code without blanks, for comparisons.
pub(crate) fn compact(code: &str) -> String {
    let mut out = String::new();
    let mut gap = false;
    for letter in code.chars() {
        if letter.is_whitespace() {
            gap = true;
            continue;
        }
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if gap && word(letter) && out.ends_with(word) {
            out.push(' ');
        }
        gap = false;
        out.push(letter);
    }
    out
}

/// Every top-level name that is reached through `crate::`, or through as many `super::` as the file is deep.
pub(crate) fn names_of(code: &str, depth: usize) -> Vec<String> {
    let code = compact(code);
    let mut out = Vec::new();
    for start in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in code.match_indices(&start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let rest = &code[at + start.len()..];
            match rest.strip_prefix('{') {
                Some(group) => out.extend(group_heads(group)),
                None => out.push(word(rest)),
            }
        }
    }
    out
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first name of each part of a `use` group whose bracket is open.
fn group_heads(group: &str) -> Vec<String> {
    let mut out = vec![word(group)];
    let mut open = 1;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => open += 1,
            '}' => open -= 1,
            ',' if open == 1 => out.push(word(&group[at + 1..])),
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    out
}

/// Blanks out comments, strings and characters; lines stay where they are.
fn without_texts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            string(rest)
        } else if let Some(length) = raw_string(rest).filter(|_| !out.ends_with(|c: char| c.is_alphanumeric() || c == '_')) {
            length
        } else if first == '\'' {
            character(rest)
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.extend(rest[..length].chars().filter(|c| *c == '\n'));
        out.push(' ');
        rest = &rest[length..];
    }
    out
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let start = text.len() - inner.len() + hashes;
    if !text[start..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[start + 1..].find(&end).map_or(text.len(), |at| start + 1 + at + end.len()))
}

/// A character, or the one sign of a lifetime.
fn character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(1, |at| at + 4),
        Some(_) => letters.next().filter(|(_, c)| *c == '\'').map_or(1, |(at, _)| at + 1),
        None => 1,
    }
}

/// Leaves out the item behind each `#[cfg(test)]`; gives the names of modules that lie in files of their own.
fn without_tests(code: &str) -> (String, Vec<String>) {
    let mut out = String::new();
    let mut modules = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..at]);
        let item = &rest[at + "#[cfg(test)]".len()..];
        let end = item_end(item);
        let head = compact(&item[..end]);
        if let Some(name) = head.strip_suffix(';').and_then(|head| head.rsplit_once("mod ")).map(|(_, name)| name.to_owned()) {
            modules.push(name);
        }
        rest = &item[end..];
    }
    out.push_str(rest);
    (out, modules)
}

/// Behind the item's closing bracket, or its semicolon if that comes first.
fn item_end(item: &str) -> usize {
    let mut open = 0;
    for (at, letter) in item.char_indices() {
        match letter {
            '{' => open += 1,
            '}' => {
                open -= 1;
                if open == 0 {
                    return at + 1;
                }
            }
            ';' if open == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}
