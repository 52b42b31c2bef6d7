// One test file in a page of its own, so that it finds every module as it is after loading, as in a process of its own.

import { finish, listen, tellFailed, tellUncaught } from "./node/test.ts";
import type { Report } from "./protocol.ts";

const file = new URL(location.href).searchParams.get("file") ?? "";
document.title = file; // the page around sees by it that this script has begun

/** At once: a test that never gives the page time to do anything else has been told of before. */
function tell(report: Report): void {
  const request = new XMLHttpRequest();
  request.open("POST", "/report", false);
  request.send(JSON.stringify(report));
}

listen({
  started: (name) => tell({ kind: "test-started", file, name }),
  ended: (result) => tell({ kind: "test", file, result }),
});
addEventListener("error", ({ error, message }) => tellUncaught(error ?? message));
addEventListener("unhandledrejection", ({ reason }) => tellUncaught(reason));

tell({ kind: "file-started", file });
try {
  await import(new URL(`/checkout/${file}`, location.origin).href);
} catch (error) {
  tellFailed(["the file is loaded"], error);
}
await finish();
tell({ kind: "file-finished", file });
parent.postMessage(file, location.origin);
