// Decorations for text. Widths are counted in code points: wide and combining characters shift the frame.
#[path = "../abi.rs"]
mod abi;

use abi::{give, Text};

const MOST_TIMES: usize = 1000;
const MOST_PADDING: usize = 40;
// Every line is padded to the widest one: without a bound, a frame could be as large as the square of its text.
const WIDEST: usize = 200;

struct Border {
    corners: [char; 4],
    horizontal: char,
    vertical: char,
}

fn border(style: u32) -> Border {
    match style {
        1 => Border { corners: ['┌', '┐', '└', '┘'], horizontal: '─', vertical: '│' },
        2 => Border { corners: ['╔', '╗', '╚', '╝'], horizontal: '═', vertical: '║' },
        3 => Border { corners: ['╭', '╮', '╰', '╯'], horizontal: '─', vertical: '│' },
        _ => Border { corners: ['+'; 4], horizontal: '-', vertical: '|' },
    }
}

fn exclaim(text: &'static str) -> Text {
    let text = text.trim_end();
    if text.is_empty() || text.ends_with(['!', '?', '！', '？', '¡']) {
        return Text::from(text);
    }
    Text::from(format!("{}!", text.trim_end_matches(['.', ','])))
}

fn repeat_char(out: &mut String, c: char, times: usize) {
    out.extend(std::iter::repeat(c).take(times));
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(WIDEST) {
        Some(_) => line.chars().take(WIDEST - 1).chain(['…']).collect(),
        None => line.to_string(),
    }
}

fn frame(text: &str, style: u32, padding: usize) -> String {
    let Border { corners, horizontal, vertical } = border(style);
    let padding = padding.min(MOST_PADDING);
    let lines: Vec<String> = text.lines().map(shortened).collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    let edge = |out: &mut String, left: char, right: char| {
        out.push(left);
        repeat_char(out, horizontal, width + 2 * padding);
        out.push(right);
    };
    edge(&mut out, corners[0], corners[1]);
    out.push('\n');
    for line in &lines {
        out.push(vertical);
        repeat_char(&mut out, ' ', padding);
        out.push_str(line);
        repeat_char(&mut out, ' ', width - line.chars().count() + padding);
        out.push(vertical);
        out.push('\n');
    }
    edge(&mut out, corners[2], corners[3]);
    out
}

#[export_name = "acme:decorate/decorate@1.0.0#exclaim"]
unsafe extern "C" fn exclaim_export(at: *const u8, length: usize) -> *const Text {
    give(exclaim(Text::new(at, length).as_str()))
}

#[export_name = "acme:decorate/decorate@1.0.0#wrap"]
unsafe extern "C" fn wrap_export(
    at: *const u8,
    length: usize,
    before: *const u8,
    before_length: usize,
    after: *const u8,
    after_length: usize,
) -> *const Text {
    let (before, after) = (Text::new(before, before_length), Text::new(after, after_length));
    give([before.as_str(), Text::new(at, length).as_str(), after.as_str()].concat().into())
}

#[export_name = "acme:decorate/decorate@1.0.0#repeat"]
unsafe extern "C" fn repeat_export(at: *const u8, length: usize, times: usize) -> *const Text {
    give(Text::new(at, length).repeat(times.min(MOST_TIMES)).into())
}

#[export_name = "acme:decorate/decorate@1.0.0#frame"]
unsafe extern "C" fn frame_export(at: *const u8, length: usize, border: u32, padding: usize) -> *const Text {
    give(frame(&Text::new(at, length), border, padding).into())
}

#[export_name = "acme:decorate/decorate@1.0.0#box"]
unsafe extern "C" fn box_export(at: *const u8, length: usize) -> *const Text {
    give(frame(&Text::new(at, length), 0, 1).into())
}

post_return! {
    after_exclaim = "cabi_post_acme:decorate/decorate@1.0.0#exclaim",
    after_wrap = "cabi_post_acme:decorate/decorate@1.0.0#wrap",
    after_repeat = "cabi_post_acme:decorate/decorate@1.0.0#repeat",
    after_frame = "cabi_post_acme:decorate/decorate@1.0.0#frame",
    after_box = "cabi_post_acme:decorate/decorate@1.0.0#box",
}
