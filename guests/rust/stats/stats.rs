// Statistics: of numbers, of groups of feedback, of rejected lines. Sorting dominates: n log n everywhere.
#[path = "../abi.rs"]
mod abi;
mod grouping;
mod numbers;
mod rejects;
