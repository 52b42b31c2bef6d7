// Reads and writes CSV. One pass over the text; rows share the text's memory where no quote has to be taken out.
#[path = "../abi.rs"]
mod abi;

use std::collections::BTreeSet;

use abi::{give, List, Outcome, Text};

#[repr(C)]
struct Row {
    line: u32,
    cells: List<Text>,
}

#[repr(C)]
struct RejectedLine {
    line: u32,
    text: Text,
    reason: Text,
}

#[repr(C)]
struct Table {
    header: List<Text>,
    rows: List<Row>,
    rejected: List<RejectedLine>,
}

#[derive(Clone, Copy)]
struct Dialect {
    separator: char,
    quote: char,
    trim: bool,
}

#[repr(C, u8)]
enum Problem {
    Empty,
    BadDialect,
    DuplicateColumn(Text),
}

/// One record of the text: its cells, or why it has none. `end` is where the next one begins, `lines` how many it spans.
struct Record {
    cells: Result<Vec<Text>, &'static str>,
    end: usize,
    lines: u32,
}

/// Where the line that starts at `start` ends, and where the next one starts.
fn line_end(text: &str, start: usize) -> (usize, usize) {
    match text[start..].find('\n') {
        Some(length) => {
            let end = start + length;
            let has_return = end > start && text.as_bytes()[end - 1] == b'\r';
            (if has_return { end - 1 } else { end }, end + 1)
        }
        None => (text.len(), text.len()),
    }
}

/// A quoted cell that starts after its opening quote: its text, and where the closing quote ends.
fn quoted_cell(text: &'static str, start: usize, quote: char) -> Option<(Text, usize)> {
    let width = quote.len_utf8();
    let mut whole = String::new();
    let mut from = start;
    loop {
        let at = from + text[from..].find(quote)?;
        let doubled = text[at + width..].starts_with(quote);
        if !doubled {
            let tail = &text[from..at];
            let cell = if whole.is_empty() { Text::from(tail) } else { Text::from(whole + tail) };
            return Some((cell, at + width));
        }
        whole.push_str(&text[from..at + width]);
        from = at + 2 * width;
    }
}

/// How many bytes of blanks the cell starts with that do not belong to it.
fn blanks(rest: &str, dialect: Dialect) -> usize {
    let blank = |c: char| (c == ' ' || c == '\t') && c != dialect.separator;
    if dialect.trim { rest.len() - rest.trim_start_matches(blank).len() } else { 0 }
}

/// A record whose quotes are wrong is one line: the rest of the file is not lost with it.
fn spoiled(text: &str, start: usize, reason: &'static str) -> Record {
    Record { cells: Err(reason), end: line_end(text, start).1, lines: 1 }
}

fn next_record(text: &'static str, start: usize, dialect: Dialect) -> Record {
    let mut cells = Vec::new();
    let mut at = start;
    loop {
        let (end, next) = line_end(text, at);
        let rest = &text[at..end];
        let lead = blanks(rest, dialect);
        if rest[lead..].starts_with(dialect.quote) {
            let (cell, after) = match quoted_cell(text, at + lead + dialect.quote.len_utf8(), dialect.quote) {
                Some(found) => found,
                None => return spoiled(text, start, "a quote is not closed"),
            };
            cells.push(cell);
            let (end, next) = line_end(text, after);
            let rest = &text[after..end];
            let gap = blanks(rest, dialect);
            if gap == rest.len() {
                let lines = text[start..after].matches('\n').count() as u32 + 1;
                return Record { cells: Ok(cells), end: next, lines };
            }
            if !rest[gap..].starts_with(dialect.separator) {
                // A cell that goes over lines most likely ended at the opening quote of another one.
                let spans_lines = text[start..after].contains('\n');
                let reason = if spans_lines { "a quote is not closed, or not doubled" } else { "text after a closing quote" };
                return spoiled(text, start, reason);
            }
            at = after + gap + dialect.separator.len_utf8();
        } else {
            let (cell, more) = match rest.find(dialect.separator) {
                Some(length) => (&rest[..length], true),
                None => (rest, false),
            };
            cells.push(Text::from(if dialect.trim { cell.trim() } else { cell }));
            if !more {
                let lines = text[start..end].matches('\n').count() as u32 + 1;
                return Record { cells: Ok(cells), end: next, lines };
            }
            at += cell.len() + dialect.separator.len_utf8();
        }
    }
}

fn is_blank(cells: &[Text]) -> bool {
    cells.iter().all(|cell| cell.trim().is_empty())
}

/// The text of a rejected line, short enough for a report.
fn excerpt(text: &'static str, start: usize) -> Text {
    let line = &text[start..line_end(text, start).0];
    match line.char_indices().nth(200) {
        Some((cut, _)) => Text::from(format!("{}…", &line[..cut])),
        None => Text::from(line),
    }
}

fn parse(text: &'static str, dialect: Dialect) -> Result<Table, Problem> {
    let wrong = |c: char| c == '\n' || c == '\r' || c == '\0';
    if dialect.separator == dialect.quote || wrong(dialect.separator) || wrong(dialect.quote) {
        return Err(Problem::BadDialect);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut header: Option<Vec<Text>> = None;
    let mut rows = Vec::new();
    let mut rejected = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while at < text.len() {
        let record = next_record(text, at, dialect);
        let mut reject = |reason: Text| rejected.push(RejectedLine { line, text: excerpt(text, at), reason });
        match (record.cells, &header) {
            (Ok(cells), _) if is_blank(&cells) => {}
            (Err(reason), _) => reject(Text::from(reason)),
            (Ok(cells), None) => {
                let mut names = BTreeSet::new();
                if let Some(twice) = cells.iter().find(|name| !names.insert(name.as_str())) {
                    return Err(Problem::DuplicateColumn(*twice));
                }
                header = Some(cells);
            }
            (Ok(cells), Some(header)) if cells.len() != header.len() => {
                let plural = if cells.len() == 1 { "" } else { "s" };
                reject(Text::from(format!("{} cell{plural} instead of {}", cells.len(), header.len())))
            }
            (Ok(cells), Some(_)) => rows.push(Row { line, cells: cells.into() }),
        }
        line += record.lines;
        at = record.end;
    }
    let header = header.ok_or(Problem::Empty)?;
    Ok(Table { header: header.into(), rows: rows.into(), rejected: rejected.into() })
}

/// The separator that the first line has most of, a comma where none is.
fn guess_separator(text: &str) -> char {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let count = |c: char| first.matches(c).count();
    [';', '\t'].into_iter().fold(',', |best, c| if count(c) > count(best) { c } else { best })
}

fn needs_quotes(cell: &str) -> bool {
    cell.contains([',', '"', '\n', '\r']) || cell.starts_with([' ', '\t']) || cell.ends_with([' ', '\t'])
}

fn write_line(out: &mut String, cells: &[Text]) {
    for (n, cell) in cells.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        if needs_quotes(cell) || (cells.len() == 1 && cell.is_empty()) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}

#[export_name = "acme:csv/reader@1.0.0#parse"]
unsafe extern "C" fn parse_export(at: *const u8, length: usize) -> *const Outcome<Table, Problem> {
    let text = Text::new(at, length).as_str();
    give(parse(text, Dialect { separator: guess_separator(text), quote: '"', trim: true }).into())
}

#[export_name = "acme:csv/reader@1.0.0#parse-as"]
unsafe extern "C" fn parse_as_export(
    at: *const u8,
    length: usize,
    separator: u32,
    quote: u32,
    trim: u32,
) -> *const Outcome<Table, Problem> {
    let dialect = match (char::from_u32(separator), char::from_u32(quote)) {
        (Some(separator), Some(quote)) => Dialect { separator, quote, trim: trim != 0 },
        _ => return give(Outcome::Err(Problem::BadDialect)),
    };
    give(parse(Text::new(at, length).as_str(), dialect).into())
}

#[export_name = "acme:csv/writer@1.0.0#format"]
unsafe extern "C" fn format_export(
    header: *const Text,
    header_length: usize,
    rows: *const Row,
    row_count: usize,
) -> *const Text {
    let mut out = String::new();
    write_line(&mut out, &List::new(header, header_length));
    for row in List::new(rows, row_count).iter() {
        write_line(&mut out, &row.cells);
    }
    give(out.into())
}

post_return! {
    after_parse = "cabi_post_acme:csv/reader@1.0.0#parse",
    after_parse_as = "cabi_post_acme:csv/reader@1.0.0#parse-as",
    after_format = "cabi_post_acme:csv/writer@1.0.0#format",
}
