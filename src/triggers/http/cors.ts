// Which pages of other origins may call a route. Preflights are answered here, before any middleware. Source: Fetch standard (section 3.2).

import { StarlaneError } from "../../base/errors.ts";
import type { CorsOptions, HeaderPair, PlainResponse } from "./http.ts";

const NONE: readonly HeaderPair[] = [];

export class Cors {
  readonly #options: CorsOptions;
  readonly #origins: ReadonlySet<string>;
  readonly #exposed: readonly HeaderPair[];

  /** @throws StarlaneError `http/bad-route` */
  constructor(options: CorsOptions) {
    this.#options = options;
    this.#origins = new Set(options.origins);
    if (options.credentials === true && this.#origins.has("*")) {
      throw new StarlaneError("http/bad-route", "credentials cannot be allowed to every origin", { cure: "Name the origins." });
    }
    this.#exposed =
      options.exposeHeaders === undefined ? [] : [["access-control-expose-headers", options.exposeHeaders.join(", ")]];
  }

  /** Fields of the response to a request with this `Origin`. */
  fields(origin: string | undefined): readonly HeaderPair[] {
    if (this.#origins.has("*")) return origin === undefined ? NONE : [["access-control-allow-origin", "*"], ...this.#exposed];
    if (origin === undefined || !this.#origins.has(origin)) return [["vary", "origin"]];
    const credentials: readonly HeaderPair[] =
      this.#options.credentials === true ? [["access-control-allow-credentials", "true"]] : [];
    return [["access-control-allow-origin", origin], ["vary", "origin"], ...credentials, ...this.#exposed];
  }

  preflight(origin: string, methods: readonly string[]): PlainResponse {
    const { headers = ["content-type", "authorization"], maxAgeSeconds } = this.#options;
    const age: readonly HeaderPair[] = maxAgeSeconds === undefined ? [] : [["access-control-max-age", String(maxAgeSeconds)]];
    return {
      status: 204,
      headers: [
        ...this.fields(origin).filter(([name]) => name !== "access-control-expose-headers"),
        ["access-control-allow-methods", methods.join(", ")],
        ["access-control-allow-headers", headers.join(", ")],
        ...age,
      ],
    };
  }
}
