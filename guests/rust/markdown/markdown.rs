// Writes Markdown: pieces of it, and the report on customer feedback.
#[path = "../abi.rs"]
mod abi;
mod reporting;
mod writer;
