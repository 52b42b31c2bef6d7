// The interface `acme:markdown/writer`. Output grows with its input, and tables pad no cell beyond a bound.
use crate::abi::{give, List, Text};

// Padding every cell to the widest one could make a table as large as the square of its cells.
const WIDEST_PADDING: usize = 80;

#[repr(u8)]
#[derive(Clone, Copy, PartialEq)]
pub enum Alignment {
    Left,
    #[allow(dead_code)] // made by the host
    Center,
    Right,
}

#[repr(C)]
pub struct Column {
    pub title: Text,
    pub align: Alignment,
}

/// As text inside a line: signs escaped, line ends as blanks.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' => out.extend(['\\', c]),
            '&' if rest.starts_with('#') || rest.starts_with(|c: char| c.is_ascii_alphabetic()) => out.push_str("\\&"),
            '#' | '+' | '-' if at == 0 => out.extend(['\\', c]),
            '.' | ')' if at > 0 && at < 10 && text[..at].bytes().all(|b| b.is_ascii_digit()) => out.extend(['\\', c]),
            '\r' if rest.starts_with('\n') => {}
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

pub fn heading(level: usize, text: &str) -> String {
    format!("{} {}\n", "#".repeat(level.clamp(1, 6)), escape(text.trim()))
}

pub fn bullets<S: AsRef<str>>(items: impl Iterator<Item = S>) -> String {
    items.map(|item| format!("- {}\n", escape(item.as_ref()))).collect()
}

fn put_cell(out: &mut String, cell: &str, width: usize, align: Alignment) {
    let missing = width.min(WIDEST_PADDING).saturating_sub(cell.chars().count());
    let before = match align {
        Alignment::Left => 0,
        Alignment::Center => missing / 2,
        Alignment::Right => missing,
    };
    out.push(' ');
    out.extend(std::iter::repeat(' ').take(before));
    out.push_str(cell);
    out.extend(std::iter::repeat(' ').take(missing - before));
    out.push_str(" |");
}

fn put_rule(out: &mut String, width: usize, align: Alignment) {
    let colon = |wanted: bool| if wanted { ':' } else { '-' };
    out.push(' ');
    out.push(colon(align == Alignment::Center));
    out.extend(std::iter::repeat('-').take(width.clamp(3, WIDEST_PADDING) - 2));
    out.push(colon(align != Alignment::Left));
    out.push_str(" |");
}

/// A table of cells that are Markdown already, one alignment a column.
pub fn table(titles: &[String], aligns: &[Alignment], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = titles.iter().map(|title| title.chars().count().max(3)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    let put_row = |out: &mut String, row: &[String]| {
        out.push('|');
        for (n, &width) in widths.iter().enumerate() {
            put_cell(out, row.get(n).map_or("", String::as_str), width, aligns[n]);
        }
        out.push('\n');
    };
    put_row(&mut out, titles);
    out.push('|');
    for (&width, &align) in widths.iter().zip(aligns) {
        put_rule(&mut out, width, align);
    }
    out.push('\n');
    for row in rows {
        put_row(&mut out, row);
    }
    out
}

#[export_name = "acme:markdown/writer@1.0.0#escape"]
unsafe extern "C" fn escape_export(at: *const u8, length: usize) -> *const Text {
    give(escape(&Text::new(at, length)).into())
}

#[export_name = "acme:markdown/writer@1.0.0#heading"]
unsafe extern "C" fn heading_export(level: usize, at: *const u8, length: usize) -> *const Text {
    give(heading(level, &Text::new(at, length)).into())
}

#[export_name = "acme:markdown/writer@1.0.0#bullets"]
unsafe extern "C" fn bullets_export(items: *const Text, length: usize) -> *const Text {
    give(bullets(List::new(items, length).iter().map(|item| item.as_str())).into())
}

#[export_name = "acme:markdown/writer@1.0.0#table"]
unsafe extern "C" fn table_export(
    columns: *const Column,
    column_count: usize,
    rows: *const List<Text>,
    row_count: usize,
) -> *const Text {
    let columns = List::new(columns, column_count);
    let titles: Vec<String> = columns.iter().map(|column| escape(&column.title)).collect();
    let aligns: Vec<Alignment> = columns.iter().map(|column| column.align).collect();
    let escaped = |row: &List<Text>| row.iter().take(titles.len()).map(|cell| escape(cell)).collect();
    let rows: Vec<Vec<String>> = List::new(rows, row_count).iter().map(escaped).collect();
    give(table(&titles, &aligns, &rows).into())
}

crate::post_return! {
    after_escape = "cabi_post_acme:markdown/writer@1.0.0#escape",
    after_heading = "cabi_post_acme:markdown/writer@1.0.0#heading",
    after_bullets = "cabi_post_acme:markdown/writer@1.0.0#bullets",
    after_table = "cabi_post_acme:markdown/writer@1.0.0#table",
}
