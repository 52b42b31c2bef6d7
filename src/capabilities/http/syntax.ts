// Which texts HTTP and URIs allow in the parts of a message. Source: RFC 9110 (sections 5.1, 5.5, 9.1), RFC 3986 (sections 3.1-3.4).

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+\-.]*$/;
const AUTHORITY = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:%]*@)?(?:\[[0-9A-Fa-f:.vV]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::[0-9]{0,5})?$/;
/** Other letters than ASCII's are let through, as they are in the wild; they are sent percent-encoded. */
// oxlint-disable-next-line no-control-regex -- exactly these must not be there
const PATH_WITH_QUERY = /^[^\u0000-\u0020\u007f#<>"\\^`{|}]*$/;

/** Of a method, path, scheme or authority, in UTF-16 units. */
const LONGEST_PART = 8192;

export function isFieldName(name: string): boolean {
  return name.length <= LONGEST_PART && TOKEN.test(name);
}

/** Visible characters, bytes above 127, spaces and tabs; nothing that could end the field. */
export function isFieldValue(value: Uint8Array): boolean {
  return value.every((byte) => (byte >= 0x20 && byte !== 0x7f) || byte === 0x09);
}

export function isMethod(name: string): boolean {
  return name.length <= LONGEST_PART && TOKEN.test(name);
}

export function isScheme(scheme: string): boolean {
  return scheme.length <= LONGEST_PART && SCHEME.test(scheme);
}

export function isAuthority(authority: string): boolean {
  return authority.length <= LONGEST_PART && AUTHORITY.test(authority);
}

export function isPathWithQuery(path: string): boolean {
  return path.length <= LONGEST_PART && PATH_WITH_QUERY.test(path);
}
