// The interface `acme:stats/numbers`.
use crate::abi::{give, List, Maybe};

const MOST_BINS: u32 = 1000;

#[repr(C)]
struct Summary {
    count: u32,
    sum: f64,
    mean: f64,
    median: f64,
    stddev: f64,
    least: f64,
    most: f64,
}

#[repr(C)]
#[derive(Clone)]
struct Bin {
    from: f64,
    to: f64,
    count: u32,
}

pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    Some(values.iter().sum::<f64>() / values.len() as f64)
}

/// Of values in ascending order.
pub fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(sorted[middle - 1] + (sorted[middle] - sorted[middle - 1]) / 2.0),
    }
}

pub fn stddev(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    if values.len() == 1 {
        return Some(0.0);
    }
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

pub fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

unsafe fn given(values: *const f64, length: usize) -> Vec<f64> {
    sorted(List::new(values, length).iter().copied())
}

fn summarize(values: &[f64]) -> Option<Summary> {
    Some(Summary {
        count: values.len() as u32,
        sum: values.iter().sum(),
        mean: mean(values)?,
        median: median(values)?,
        stddev: stddev(values)?,
        least: *values.first()?,
        most: *values.last()?,
    })
}

fn histogram(values: &[f64], bins: u32) -> Vec<Bin> {
    let values: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let (least, most) = match (values.first(), values.last()) {
        (Some(&least), Some(&most)) if bins > 0 => (least, most),
        _ => return Vec::new(),
    };
    // Halves, because the difference of two finite numbers may be none.
    let count = bins.min(MOST_BINS) as usize;
    let width = (most / 2.0 - least / 2.0) / count as f64 * 2.0;
    let edge = |n: usize| if n == count { most } else { least + width * n as f64 };
    let mut bins: Vec<Bin> = (0..count).map(|n| Bin { from: edge(n), to: edge(n + 1), count: 0 }).collect();
    for value in values {
        let place = if width > 0.0 { ((value / 2.0 - least / 2.0) / width * 2.0) as usize } else { 0 };
        bins[place.min(count - 1)].count += 1;
    }
    bins
}

#[export_name = "acme:stats/numbers@1.0.0#mean"]
unsafe extern "C" fn mean_export(values: *const f64, length: usize) -> *const Maybe<f64> {
    give(mean(&given(values, length)).into())
}

#[export_name = "acme:stats/numbers@1.0.0#median"]
unsafe extern "C" fn median_export(values: *const f64, length: usize) -> *const Maybe<f64> {
    give(median(&given(values, length)).into())
}

#[export_name = "acme:stats/numbers@1.0.0#stddev"]
unsafe extern "C" fn stddev_export(values: *const f64, length: usize) -> *const Maybe<f64> {
    give(stddev(&given(values, length)).into())
}

#[export_name = "acme:stats/numbers@1.0.0#summarize"]
unsafe extern "C" fn summarize_export(values: *const f64, length: usize) -> *const Maybe<Summary> {
    give(summarize(&given(values, length)).into())
}

#[export_name = "acme:stats/numbers@1.0.0#histogram"]
unsafe extern "C" fn histogram_export(values: *const f64, length: usize, bins: u32) -> *const List<Bin> {
    give(histogram(&given(values, length), bins).into())
}

crate::post_return! {
    after_mean = "cabi_post_acme:stats/numbers@1.0.0#mean",
    after_median = "cabi_post_acme:stats/numbers@1.0.0#median",
    after_stddev = "cabi_post_acme:stats/numbers@1.0.0#stddev",
    after_summarize = "cabi_post_acme:stats/numbers@1.0.0#summarize",
    after_histogram = "cabi_post_acme:stats/numbers@1.0.0#histogram",
}
