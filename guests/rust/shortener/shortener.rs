// Short links in a SQL database. Everything that one call does is one transaction of the database: where it fails, nothing stays.
#[path = "../abi.rs"]
mod abi;
#[path = "../sql.rs"]
mod sql;

use abi::{give, List, Outcome, Text};
use sql::{Database, Row, SqlError, Value};

const LONGEST_URL: usize = 2000;
const LONGEST_SLUG: usize = 40;
const MOST_LINKS: u32 = 100;
/// Without letters and digits that look alike.
const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";

#[repr(C)]
#[derive(Clone, Copy)]
struct Link {
    slug: Text,
    url: Text,
    hits: u64,
}

#[repr(C, u8)]
#[derive(Clone, Copy)]
enum Refusal {
    NotAUrl(Text),
    NotASlug(Text),
    Taken(Text),
    NoSuchLink(Text),
    Database(Text),
}

impl From<SqlError> for Refusal {
    fn from(error: SqlError) -> Self {
        Refusal::Database(error.text())
    }
}

fn check_url(url: Text) -> Result<(), Refusal> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let has_host = rest.map_or(false, |rest| !rest.is_empty() && !rest.starts_with(&['/', '?', '#', ':'][..]));
    let is_clean = !url.chars().any(|c| c.is_whitespace() || c.is_control());
    if has_host && is_clean && url.len() <= LONGEST_URL {
        Ok(())
    } else {
        Err(Refusal::NotAUrl(url))
    }
}

fn check_slug(slug: Text) -> Result<(), Refusal> {
    let is_clean = slug.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    if is_clean && (1..=LONGEST_SLUG).contains(&slug.len()) {
        Ok(())
    } else {
        Err(Refusal::NotASlug(slug))
    }
}

/// `2`, `3` … `z`, `32`, `33` …: every number has one.
fn slug_of(mut number: i64) -> Text {
    let mut digits = Vec::new();
    let base = ALPHABET.len() as i64;
    loop {
        digits.push(ALPHABET[(number % base) as usize]);
        number /= base;
        if number == 0 {
            break;
        }
    }
    digits.reverse();
    String::from_utf8_lossy(&digits).into_owned().into()
}

fn link_of(row: &Row) -> Link {
    match row.as_slice() {
        [slug, url, hits, ..] => Link { slug: slug.text(), url: url.text(), hits: hits.integer() as u64 },
        _ => Link { slug: "".into(), url: "".into(), hits: 0 },
    }
}

fn link_to(links: &Database, url: Text) -> Result<Option<Link>, SqlError> {
    let row = links.row("SELECT slug, url, hits FROM links WHERE url = $1", &[Value::Text(url)])?;
    Ok(row.as_ref().map(link_of))
}

/// The next number that no slug stands for yet: somebody may have wished for one of them.
fn next_slug(links: &Database) -> Result<Text, SqlError> {
    let row = links.row("SELECT coalesce(max(id), 0) FROM links", &[])?;
    let mut number = row.and_then(|row| row.first().map(Value::integer)).unwrap_or(0);
    loop {
        let slug = slug_of(number);
        if links.row("SELECT 1 FROM links WHERE slug = $1", &[Value::Text(slug)])?.is_none() {
            return Ok(slug);
        }
        number += 1;
    }
}

fn shorten(url: Text, wished: Option<Text>) -> Result<Link, Refusal> {
    check_url(url)?;
    if let Some(slug) = wished {
        check_slug(slug)?;
    }
    let links = Database::open("links")?;
    if let Some(link) = link_to(&links, url)? {
        return Ok(link);
    }
    let slug = match wished {
        Some(slug) => slug,
        None => next_slug(&links)?,
    };
    match links.execute("INSERT INTO links (slug, url) VALUES ($1, $2)", &[Value::Text(slug), Value::Text(url)]) {
        Ok(_) => Ok(Link { slug, url, hits: 0 }),
        Err(SqlError::Constraint(_)) => Err(Refusal::Taken(slug)),
        Err(error) => Err(error.into()),
    }
}

fn follow(slug: Text) -> Result<Text, Refusal> {
    let links = Database::open("links")?;
    let row = links.row("UPDATE links SET hits = hits + 1 WHERE slug = $1 RETURNING url", &[Value::Text(slug)])?;
    row.and_then(|row| row.first().map(Value::text)).ok_or(Refusal::NoSuchLink(slug))
}

fn find(url: Text) -> Result<Link, Refusal> {
    link_to(&Database::open("links")?, url)?.ok_or(Refusal::NoSuchLink(url))
}

fn popular(limit: u32) -> Result<List<Link>, Refusal> {
    let limit = limit.min(MOST_LINKS);
    let statement = "SELECT slug, url, hits FROM links ORDER BY hits DESC, slug LIMIT $1";
    let rows = Database::open("links")?.query(statement, &[Value::Integer(limit.into())], limit)?;
    Ok(rows.iter().map(link_of).collect::<Vec<_>>().into())
}

type Answer<T> = *const Outcome<T, Refusal>;

#[export_name = "acme:shortener/links@1.0.0#shorten"]
unsafe extern "C" fn shorten_export(url: *const u8, url_length: usize, wished: u32, slug: *const u8, length: usize) -> Answer<Link> {
    let wished = if wished == 0 { None } else { Some(Text::new(slug, length)) };
    give(shorten(Text::new(url, url_length), wished).into())
}

#[export_name = "acme:shortener/links@1.0.0#follow"]
unsafe extern "C" fn follow_export(slug: *const u8, length: usize) -> Answer<Text> {
    give(follow(Text::new(slug, length)).into())
}

#[export_name = "acme:shortener/links@1.0.0#find"]
unsafe extern "C" fn find_export(url: *const u8, length: usize) -> Answer<Link> {
    give(find(Text::new(url, length)).into())
}

#[export_name = "acme:shortener/links@1.0.0#popular"]
unsafe extern "C" fn popular_export(limit: u32) -> Answer<List<Link>> {
    give(popular(limit).into())
}

post_return! {
    after_shorten = "cabi_post_acme:shortener/links@1.0.0#shorten",
    after_follow = "cabi_post_acme:shortener/links@1.0.0#follow",
    after_find = "cabi_post_acme:shortener/links@1.0.0#find",
    after_popular = "cabi_post_acme:shortener/links@1.0.0#popular",
}
