// Where a browser can be sent: a path of the same host, or a URL of the web.

import { FORMATS } from "../formats.ts";

export function isPlace(text: string): boolean {
  return (/^\/(?!\/)/.test(text) && FORMATS.uri.has(`x:${text}`)) || isWebUrl(text);
}

export function isWebUrl(text: string): boolean {
  return /^https?:\/\/[^/?#]/.test(text) && FORMATS.uri.has(text);
}
