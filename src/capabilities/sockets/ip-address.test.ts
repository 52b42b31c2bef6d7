import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { allowsAddress, matchesHost, parseHost, parseHostPattern } from "./host-pattern.ts";
import {
  formatAddressRange,
  formatIpAddress,
  type IpAddress,
  isInRange,
  isIpv4Mapped,
  parseAddressRange,
  parseIpAddress,
  scopeOf,
} from "./ip-address.ts";

function address(text: string): IpAddress {
  const parsed = parseIpAddress(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

test("every address is written as it is read, and Node agrees that it is one", () => {
  const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  const word = fc.oneof(fc.constant(0), fc.nat(0xffff));
  const v6 = fc.tuple(word, word, word, word, word, word, word, word);
  fc.assert(
    fc.property(
      fc.oneof(
        v4.map((val) => ({ tag: "ipv4" as const, val })),
        v6.map((val) => ({ tag: "ipv6" as const, val })),
      ),
      (made) => {
        const text = formatIpAddress(made);
        assert.deepEqual(parseIpAddress(text), made);
        assert.equal(made.tag === "ipv4" ? isIPv4(text) : isIPv6(text), true);
      },
    ),
  );
});

test("whatever is read as an address, Node reads as one too", () => {
  const piece = fc.constantFrom("0", "1", "01", "255", "256", "ffff", "fffff", ":", "::", ".", "1.2.3.4", "%", "0x1", "g", "/");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      const parsed = parseIpAddress(text);
      if (parsed !== undefined) assert.equal(parsed.tag === "ipv4" ? isIPv4(text) : isIPv6(text), true, text);
    }),
    { numRuns: 2000 },
  );
});

test("addresses in forms that systems read differently are none", () => {
  for (const text of [
    "0177.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "1.2.3.4.",
    " 1.2.3.4",
    "1.2.3.256",
    "::1%1",
    "1:2:3:4:5:6:7",
    ":::",
    "1::2::3",
    "::1.2.3.4.5",
    "1.2.3.4::",
    "::12345",
  ])
    assert.equal(parseIpAddress(text), undefined, text);
});

const SCOPES: Readonly<Record<string, readonly string[]>> = {
  public: [
    "1.1.1.1",
    "8.8.8.8",
    "172.15.0.1",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::",
  ],
  loopback: ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"],
  private: [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "fd00:ec2::254",
    "fc00::",
    "::ffff:10.1.2.3",
    "64:ff9b:1::1",
  ],
  "link-local": ["169.254.169.254", "fe80::1", "febf::1", "::ffff:169.254.169.254"],
  unspecified: ["0.0.0.0", "0.1.2.3", "::"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
  reserved: [
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "168.63.129.16",
    "2001::1",
    "2001:db8::1",
    "fec0::1",
    "100::1",
    "4000::1",
  ],
};

test("every address is in its scope, also where it carries another", () => {
  for (const [scope, texts] of Object.entries(SCOPES))
    for (const text of texts) assert.equal(scopeOf(address(text)), scope, text);
});

test("ranges are read strictly and hold exactly their addresses", () => {
  for (const text of ["10.0.0.0/8", "fd00::/8", "192.0.2.7/32", "::/0", "0.0.0.0/0", "2001:db8:8000::/33"]) {
    const range = parseAddressRange(text);
    assert.ok(range !== undefined, text);
    assert.equal(formatAddressRange(range), text);
  }
  for (const text of ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "::/129", "10/8", "a/8"])
    assert.equal(parseAddressRange(text), undefined, text);
  const range = parseAddressRange("172.16.0.0/12");
  assert.ok(range !== undefined);
  assert.deepEqual(
    ["172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"].map((text) => isInRange(address(text), range)),
    [false, true, true, false],
  );
  assert.equal(isInRange(address("::ffff:172.16.0.1"), range), false);
  assert.equal(isIpv4Mapped(address("::ffff:1.2.3.4")), true);
});

test("a host has one spelling", () => {
  assert.deepEqual(parseHost("EXAMPLE.com"), { kind: "name", name: "example.com" });
  assert.deepEqual(parseHost("[::1]"), { kind: "address", address: address("::1") });
  for (const text of [
    "",
    ".",
    "a.",
    ".a",
    "a..b",
    "a b",
    "-a",
    "a-",
    "ä",
    "a%41",
    "::1",
    "[127.0.0.1]",
    "[::1",
    "1",
    "0x1",
    "a.1",
    "a.0x",
    "x".repeat(64),
    "1.2.3.4:80",
    "a/b",
    "a@b",
  ])
    assert.equal(parseHost(text), undefined, text);
});

test("a wildcard stands for names below it, and for no addresses", () => {
  const pattern = parseHostPattern("*.example.com");
  assert.ok(pattern !== undefined);
  const matches = (text: string): boolean => {
    const host = parseHost(text);
    return host !== undefined && matchesHost(pattern, host);
  };
  assert.deepEqual(
    ["a.example.com", "a.b.EXAMPLE.com", "example.com", "aexample.com", "a.example.com.evil", "127.0.0.1"].map(matches),
    [true, true, false, false, false, false],
  );
  for (const text of ["*", "*.com", "*.*.com", "a.*.com", "*a.com"]) assert.equal(parseHostPattern(text), undefined, text);
});

test("the rule for public places lets through no other scope", () => {
  for (const [scope, texts] of Object.entries(SCOPES))
    for (const text of texts) assert.equal(allowsAddress([{ kind: "public" }], address(text)), scope === "public", text);
});
