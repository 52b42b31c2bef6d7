// What the run button did: one run whole, and all of this page's as a list.

import { useEffect, useRef, type JSX } from "react";
import { ErrorView, OutputView } from "../values/error-view.tsx";
import { ResultView } from "../values/result-view.tsx";
import { shortened } from "../values/shortened.ts";
import { clockText, durationText } from "../values/times.ts";
import type { Run } from "../model/store.ts";

const WORDS = { running: "Running", ok: "Done", failed: "Failed", stopped: "Left" } as const;

export function RunView({ run, type }: { readonly run: Run | undefined; readonly type: string | undefined }): JSX.Element {
  const state = useRef<HTMLParagraphElement>(null);
  const isDone = run !== undefined && run.state !== "running";
  useEffect(() => {
    // On a small screen it stands below the form.
    if (isDone) state.current?.scrollIntoView({ block: "nearest" });
  }, [isDone, run?.id]);
  return (
    <>
      <p ref={state} className="run-state" role="status">
        {run === undefined ? <span className="muted">Fill in the form and run it.</span> : <RunState run={run} />}
      </p>
      {run?.error !== undefined && <ErrorView error={run.error} />}
      {run?.state === "ok" && <ResultView key={run.id} value={run.answer?.result} type={type} />}
      {run?.answer !== undefined && <OutputView output={run.answer.transaction.output} />}
    </>
  );
}

function RunState({ run }: { readonly run: Run }): JSX.Element {
  const transaction = run.answer?.transaction;
  return (
    <>
      <span className={`badge ${run.state}`}>{WORDS[run.state]}</span>
      {transaction !== undefined && (
        <>
          {" "}
          <span>in {durationText(transaction.durationMs)}</span>{" "}
          <code className="id" title="The id of the transaction">
            {transaction.id}
          </code>
        </>
      )}
    </>
  );
}

export function RunList({
  runs,
  shown,
  onShow,
  onAgain,
  onLoad,
}: {
  readonly runs: readonly Run[];
  readonly shown: number | undefined;
  readonly onShow: (id: number) => void;
  readonly onAgain: (run: Run) => void;
  readonly onLoad: (run: Run) => void;
}): JSX.Element {
  return (
    <ol className="runs">
      {runs.map((run) => (
        <li key={run.id} aria-current={run.id === shown ? "true" : undefined}>
          <button type="button" className="run" onClick={() => onShow(run.id)}>
            <span className={`badge ${run.state}`}>{WORDS[run.state]}</span>
            <span>{clockText(run.startedMs)}</span>
            <code>{inputText(run)}</code>
            <span className="muted">{run.answer === undefined ? "" : durationText(run.answer.transaction.durationMs)}</span>
          </button>
          <span className="run-actions">
            <button type="button" className="link" onClick={() => onLoad(run)}>
              Edit<span className="visually-hidden"> the values of the run at {clockText(run.startedMs)}</span>
            </button>
            <button type="button" className="link" onClick={() => onAgain(run)}>
              Run again<span className="visually-hidden"> as at {clockText(run.startedMs)}</span>
            </button>
          </span>
        </li>
      ))}
    </ol>
  );
}

function inputText({ request }: Run): string {
  return shortened(JSON.stringify(request.input), 200);
}
