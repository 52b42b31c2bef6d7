// `process` in a browser, for tests and what they import; the sources get none.

export default { env: {} as Record<string, string | undefined>, argv: [] as string[] };
