CREATE INDEX links_by_hits ON links (hits DESC);
