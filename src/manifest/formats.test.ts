import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FORMATS, type Format } from "./formats.ts";

const CASES: Readonly<Record<Format, { readonly good: readonly string[]; readonly bad: readonly string[] }>> = {
  email: {
    good: ["ada@example.com", "a.b+c@sub.example.co", "o'hara@x.org", "ä@example.de", `${"a".repeat(64)}@example.com`],
    bad: [
      "",
      "ada",
      "@example.com",
      "ada@",
      "ada@localhost",
      ".a@x.org",
      "a..b@x.org",
      "a@b@x.org",
      "a b@x.org",
      "a@-x.org",
      `${"a".repeat(65)}@x.org`,
      `a@${"a.".repeat(200)}org`,
      "a@1.2.3.4",
    ],
  },
  uri: {
    good: [
      "https://example.com",
      "http://u:p@[2001:db8::1]:8080/a?b#c",
      "mailto:a@b.c",
      "urn:isbn:1",
      "file:///a/b",
      "x:/",
      "https://example.com/%20",
    ],
    bad: [
      "",
      "example.com",
      "//example.com",
      "http://a b",
      "http://[::1",
      "http://a:99999",
      "1http://x",
      "http://x/%2",
      "http://x#a#b",
      "http://x/[a]",
      "http://ü",
      "https:",
      "http://:80",
    ],
  },
  uuid: {
    good: [
      "123e4567-e89b-12d3-a456-426614174000",
      "00000000-0000-0000-0000-000000000000",
      "123E4567-E89B-12D3-A456-426614174000",
    ],
    bad: [
      "",
      "123e4567e89b12d3a456426614174000",
      "123e4567-e89b-12d3-a456-42661417400g",
      "{123e4567-e89b-12d3-a456-426614174000}",
    ],
  },
  "date-time": {
    good: ["2026-08-01T12:30:00Z", "2024-02-29T00:00:00.123456+02:00", "2016-12-31T23:59:60Z", "2017-01-01T00:59:60+01:00"],
    bad: [
      "",
      "2026-08-01",
      "2026-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-08-01T24:00:00Z",
      "2026-08-01T12:30:00",
      "2026-08-01T12:30:60Z",
      "2026-08-01T12:30:00+24:00",
      "1900-02-29T00:00:00Z",
    ],
  },
  hostname: {
    good: ["a", "localhost", "api.example.com", "xn--bcher-kva.example", "3com.com", `${"a".repeat(63)}.x`],
    bad: [
      "",
      ".",
      "a.",
      "-a.com",
      "a-.com",
      "a_b.com",
      "1.2.3.4",
      `${"a".repeat(64)}.x`,
      "a..b",
      "ü.de",
      Array.from({ length: 130 }, () => "ab").join("."),
    ],
  },
  ip: {
    good: [
      "192.0.2.1",
      "0.0.0.0",
      "::",
      "::1",
      "2001:db8::8a2e:370:7334",
      "1:2:3:4:5:6:7:8",
      "::ffff:192.0.2.1",
      "1::",
      "1:2:3:4:5:6:1.2.3.4",
    ],
    bad: [
      "",
      "256.0.0.1",
      "1.2.3",
      "01.2.3.4",
      "1.2.3.4.5",
      ":::",
      "1::2::3",
      "12345::",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "fe80::1%eth0",
      "1.2.3.4::",
      "::1.2.3",
      ":1:2:3:4:5:6:7",
    ],
  },
};

for (const [format, { good, bad }] of Object.entries(CASES)) {
  test(`the format ${format} takes what its standard allows and nothing else`, () => {
    const has = Object.entries(FORMATS).find(([name]) => name === format)?.[1].has;
    assert(has !== undefined);
    for (const text of good) assert.equal(has(text), true, `good: ${text}`);
    for (const text of bad) assert.equal(has(text), false, `bad: ${text}`);
  });
}

test("each format's example has the format", () => {
  for (const { has, example } of Object.values(FORMATS)) assert.equal(has(example), true, example);
});

test("date-times and web addresses that JavaScript writes are accepted", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true }),
      fc.webUrl(),
      (date, url) => {
        assert.equal(FORMATS["date-time"].has(date.toISOString()), true, date.toISOString());
        assert.equal(FORMATS.uri.has(url), true, url);
      },
    ),
  );
});

test("addresses that generators of their standards write are accepted", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV6(), fc.uuid(), fc.domain(), (v4, v6, uuid, domain) => {
      for (const ip of [v4, v6]) assert.equal(FORMATS.ip.has(ip), true, ip);
      assert.equal(FORMATS.uuid.has(uuid), true, uuid);
      assert.equal(FORMATS.hostname.has(domain), true, domain);
    }),
  );
});
