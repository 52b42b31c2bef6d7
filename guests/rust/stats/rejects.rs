// The interface `acme:stats/rejects`.
use std::collections::BTreeMap;

use crate::abi::{give, List, Text};

#[repr(C)]
#[derive(Clone, Copy)]
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

fn tally(unreadable: &[RejectedLine], unusable: &[RejectedLine]) -> Rejections {
    let mut lines = [unreadable, unusable].concat();
    lines.sort_by_key(|rejected| rejected.line);
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for rejected in &lines {
        *counts.entry(rejected.reason.as_str()).or_default() += 1;
    }
    let mut reasons: Vec<ReasonCount> =
        counts.into_iter().map(|(reason, count)| ReasonCount { reason: Text::from(reason), count }).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    Rejections { total: lines.len() as u32, reasons: reasons.into(), lines: lines.into() }
}

#[export_name = "acme:stats/rejects@1.0.0#tally"]
unsafe extern "C" fn tally_export(
    unreadable: *const RejectedLine,
    unreadable_length: usize,
    unusable: *const RejectedLine,
    unusable_length: usize,
) -> *const Rejections {
    give(tally(&List::new(unreadable, unreadable_length), &List::new(unusable, unusable_length)))
}

crate::post_return! { after_tally = "cabi_post_acme:stats/rejects@1.0.0#tally" }
