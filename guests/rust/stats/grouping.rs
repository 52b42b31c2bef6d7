// The interface `acme:stats/grouping`.
use std::collections::BTreeMap;

use crate::abi::{give, List, Maybe, Text};
use crate::numbers::{mean, median, sorted, stddev};

#[repr(u8)]
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Negative,
    Neutral,
    Positive,
}

#[repr(C)]
struct ScoredEntry {
    line: u32,
    id: Text,
    date: Text,
    product: Text,
    channel: Text,
    rating: Maybe<u8>,
    comment: Text,
    score: f64,
    mood: Mood,
}

#[derive(Clone, Copy)]
enum Key {
    Product,
    Month,
    Channel,
    Mood,
}

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

fn key_of(entry: &ScoredEntry, key: Key) -> &'static str {
    match key {
        Key::Product => entry.product.as_str(),
        // `2026-03` of `2026-03-14`; a date in another form stands for itself.
        Key::Month => entry.date.as_str().get(..7).unwrap_or(entry.date.as_str()),
        Key::Channel => entry.channel.as_str(),
        Key::Mood => match entry.mood {
            Mood::Negative => "negative",
            Mood::Neutral => "neutral",
            Mood::Positive => "positive",
        },
    }
}

fn group(name: Text, entries: &[&ScoredEntry]) -> Group {
    let ratings = sorted(entries.iter().filter_map(|entry| entry.rating.get()).map(f64::from));
    let scores: Vec<f64> = entries.iter().map(|entry| entry.score).collect();
    let with = |mood: Mood| entries.iter().filter(|entry| entry.mood == mood).count() as u32;
    Group {
        name,
        count: entries.len() as u32,
        negative: with(Mood::Negative),
        neutral: with(Mood::Neutral),
        positive: with(Mood::Positive),
        mean_rating: mean(&ratings).into(),
        median_rating: median(&ratings).into(),
        rating_stddev: stddev(&ratings).into(),
        mean_score: mean(&scores).unwrap_or(0.0),
    }
}

fn group_by(entries: &[ScoredEntry], key: Key) -> Vec<Group> {
    let mut groups: BTreeMap<&str, Vec<&ScoredEntry>> = BTreeMap::new();
    for entry in entries {
        groups.entry(key_of(entry, key)).or_default().push(entry);
    }
    groups.into_iter().map(|(name, members)| group(Text::from(name), &members)).collect()
}

/// The entries of one mood, those with the strongest score first, earlier lines before later ones.
fn strongest(entries: &[ScoredEntry], mood: Mood, count: u32) -> List<Quote> {
    let mut chosen: Vec<&ScoredEntry> = entries.iter().filter(|entry| entry.mood == mood).collect();
    chosen.sort_by(|a, b| b.score.abs().total_cmp(&a.score.abs()).then(a.line.cmp(&b.line)));
    chosen.truncate(count as usize);
    let quote = |entry: &&ScoredEntry| Quote {
        line: entry.line,
        product: entry.product,
        comment: entry.comment,
        score: entry.score,
    };
    chosen.iter().map(quote).collect::<Vec<Quote>>().into()
}

#[export_name = "acme:stats/grouping@1.0.0#group-by"]
unsafe extern "C" fn group_by_export(entries: *const ScoredEntry, length: usize, key: u32) -> *const List<Group> {
    let key = match key {
        0 => Key::Product,
        1 => Key::Month,
        2 => Key::Channel,
        _ => Key::Mood,
    };
    give(group_by(&List::new(entries, length), key).into())
}

#[export_name = "acme:stats/grouping@1.0.0#overall"]
unsafe extern "C" fn overall_export(entries: *const ScoredEntry, length: usize) -> *const Group {
    let entries = List::new(entries, length);
    give(group(Text::from("all"), &entries.iter().collect::<Vec<_>>()))
}

#[export_name = "acme:stats/grouping@1.0.0#strongest"]
unsafe extern "C" fn strongest_export(entries: *const ScoredEntry, length: usize, count: u32) -> *const Extremes {
    let entries = List::new(entries, length);
    give(Extremes {
        best: strongest(&entries, Mood::Positive, count),
        worst: strongest(&entries, Mood::Negative, count),
    })
}

crate::post_return! {
    after_group_by = "cabi_post_acme:stats/grouping@1.0.0#group-by",
    after_overall = "cabi_post_acme:stats/grouping@1.0.0#overall",
    after_strongest = "cabi_post_acme:stats/grouping@1.0.0#strongest",
}
