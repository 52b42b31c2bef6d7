// How problems look in the browser: over a page of the app, and as a page of their own. Light and dark by the reader's system.

export const PROBLEMS_STYLE = `
.problems {
  --page: light-dark(#f6f7f9, #0f1318); --surface: light-dark(#fff, #171c23); --sunken: light-dark(#f3f5f8, #11161c);
  --border: light-dark(#dde2e9, #2a323d); --text: light-dark(#1a2230, #e4e9f0); --muted: light-dark(#576273, #9aa6b6);
  --bad: light-dark(#ad231b, #ff958b); --bad-soft: light-dark(#fdeceb, #3a1a1a); --warn: light-dark(#7c5200, #edc165);
  --accent: light-dark(#2a59c4, #8fb2ff);
  color-scheme: light dark; color: var(--text); text-align: start; letter-spacing: normal;
  font: 400 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
.problems *, .problems { box-sizing: border-box; }
.problems .head { display: flex; gap: 12px; align-items: start; justify-content: space-between; margin-bottom: 16px; }
.problems h1 { margin: 0; font-size: 20px; line-height: 1.3; font-weight: 650; }
.problems .about { margin: 4px 0 0; color: var(--muted); }
.problems ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 12px; }
.problems li { background: var(--surface); border: 1px solid var(--border); border-left: 4px solid var(--bad); border-radius: 8px; padding: 12px 16px; min-width: 0; }
.problems li.warning { border-left-color: var(--warn); }
.problems .message { margin: 0; font-weight: 600; overflow-wrap: anywhere; white-space: pre-wrap; }
.problems .at { margin: 2px 0 0; font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; color: var(--muted); overflow-wrap: anywhere; }
.problems .code { color: var(--bad); margin-inline-start: 1ch; } .problems .warning .code { color: var(--warn); }
.problems pre { margin: 8px 0 0; padding: 10px 12px; background: var(--sunken); border-radius: 6px; overflow: auto; max-height: 40vh; font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.problems code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; background: var(--sunken); border-radius: 4px; padding: 0 .3em; }
.problems .cure { margin: 8px 0 0; color: var(--accent); overflow-wrap: anywhere; }
.problems button { flex: none; font: inherit; font-size: 13px; padding: 4px 12px; border: 1px solid var(--border); border-radius: 6px; background: var(--surface); color: inherit; cursor: pointer; }
.problems button:hover { border-color: var(--muted); }
.problems :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.problems.page { max-width: 960px; margin: 0 auto; padding: 48px 20px; }
.problems.over { position: fixed; inset: 0; z-index: 2147483647; overflow: auto; overscroll-behavior: contain; padding: 6vh 20px; background: light-dark(rgb(30 36 46 / 45%), rgb(0 0 0 / 60%)); }
.problems.over .box { max-width: 960px; margin: 0 auto; padding: 20px; background: var(--page); border-radius: 12px; border-top: 4px solid var(--bad); box-shadow: 0 12px 48px rgb(0 0 0 / 35%); }
`;
