// The interface `acme:markdown/reporting`: what groups of feedback, quotes and rejected lines look like on a page.
use crate::abi::{give, List, Maybe, Text};
use crate::writer::{escape, heading, table, Alignment};

const MOST_REJECTED_LINES: usize = 20;
const LONGEST_EXCERPT: usize = 60;

#[repr(C)]
struct Group {
    name: Text,
    count: u32,
    negative: u32,
    neutral: u32,
    positive: u32,
    mean_rating: Maybe<f64>,
    median_rating: Maybe<f64>,
    rating_stddev: Maybe<f64>,
    mean_score: f64,
}

#[repr(C)]
struct Quote {
    line: u32,
    product: Text,
    comment: Text,
    score: f64,
}

#[repr(C)]
struct Extremes {
    best: List<Quote>,
    worst: List<Quote>,
}

#[repr(C)]
struct RejectedLine {
    line: u32,
    text: Text,
    reason: Text,
}

#[repr(C)]
struct ReasonCount {
    reason: Text,
    count: u32,
}

#[repr(C)]
struct Rejections {
    total: u32,
    reasons: List<ReasonCount>,
    lines: List<RejectedLine>,
}

/// More than sixteen flat values: the parameters come as one record.
#[repr(C)]
struct Parameters {
    title: Text,
    overall: Group,
    products: List<Group>,
    months: List<Group>,
    extremes: Extremes,
    rejections: Rejections,
}

fn decimal(value: Maybe<f64>, places: usize) -> String {
    match value.get() {
        Some(value) => format!("{:.*}", places, value),
        None => String::from("–"),
    }
}

/// With its sign, but for what rounds to zero.
fn signed(value: f64) -> String {
    let text = format!("{:+.2}", value);
    if text == "-0.00" || text == "+0.00" { String::from("0.00") } else { text }
}

fn share(part: u32, whole: u32) -> String {
    match whole {
        0 => String::from("–"),
        _ => format!("{:.0} %", 100.0 * f64::from(part) / f64::from(whole)),
    }
}

fn plural<'a>(count: u32, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

fn group_row(group: &Group) -> Vec<String> {
    vec![
        escape(&group.name),
        group.count.to_string(),
        decimal(group.mean_rating, 2),
        decimal(group.median_rating, 1),
        decimal(group.rating_stddev, 2),
        signed(group.mean_score),
        share(group.positive, group.count),
        share(group.negative, group.count),
    ]
}

fn groups(title: &str, first_column: &str, groups: &[Group], overall: &Group) -> String {
    let titles = [first_column, "Entries", "Mean", "Median", "Std dev", "Sentiment", "Positive", "Negative"].map(String::from);
    let mut aligns = vec![Alignment::Right; titles.len()];
    aligns[0] = Alignment::Left;
    let mut rows: Vec<Vec<String>> = groups.iter().map(group_row).collect();
    let mut sum = group_row(overall);
    sum[0] = format!("**{}**", sum[0]);
    rows.push(sum);
    format!("{}\n{}\n", heading(2, title), table(&titles, &aligns, &rows))
}

fn quotes(title: &str, quotes: &[Quote]) -> String {
    if quotes.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", heading(2, title));
    for quote in quotes {
        let comment = escape(quote.comment.trim());
        out += &format!("- “{}” ({}, {}, line {})\n", comment, escape(&quote.product), signed(quote.score), quote.line);
    }
    out.push('\n');
    out
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST_EXCERPT) {
        Some((cut, _)) => escape(&format!("{}…", &text[..cut])),
        None => escape(text),
    }
}

fn rejected(rejections: &Rejections) -> String {
    let mut out = heading(2, "Rejected lines");
    out.push('\n');
    if rejections.total == 0 {
        out.push_str("None.\n");
        return out;
    }
    let total = rejections.total;
    out += &format!("{} {} could not be used:\n\n", total, plural(total, "line", "lines"));
    for reason in rejections.reasons.iter() {
        out += &format!("- {} × {}\n", reason.count, escape(&reason.reason));
    }
    out.push('\n');
    let titles = ["Line", "Reason", "Text"].map(String::from);
    let aligns = [Alignment::Right, Alignment::Left, Alignment::Left];
    let row = |line: &RejectedLine| vec![line.line.to_string(), escape(&line.reason), excerpt(&line.text)];
    let rows: Vec<Vec<String>> = rejections.lines.iter().take(MOST_REJECTED_LINES).map(row).collect();
    out += &table(&titles, &aligns, &rows);
    if rejections.lines.len() > MOST_REJECTED_LINES {
        out += &format!("\n… and {} more.\n", rejections.lines.len() - MOST_REJECTED_LINES);
    }
    out
}

fn report(given: &Parameters) -> String {
    let all = &given.overall;
    let mut out = heading(1, &given.title);
    out += &format!(
        "\n{} {}, mean rating {} of 5, sentiment {} (from -1 to +1): {} positive, {} neutral, {} negative.\n\n",
        all.count,
        plural(all.count, "entry", "entries"),
        decimal(all.mean_rating, 2),
        signed(all.mean_score),
        all.positive,
        all.neutral,
        all.negative,
    );
    out += &groups("By product", "Product", &given.products, all);
    out += &groups("By month", "Month", &given.months, all);
    out += &quotes("Most pleased", &given.extremes.best);
    out += &quotes("Least pleased", &given.extremes.worst);
    out += &rejected(&given.rejections);
    out
}

#[export_name = "acme:markdown/reporting@1.0.0#report"]
unsafe extern "C" fn report_export(parameters: *const Parameters) -> *const Text {
    give(report(&*parameters).into())
}

crate::post_return! { after_report = "cabi_post_acme:markdown/reporting@1.0.0#report" }
