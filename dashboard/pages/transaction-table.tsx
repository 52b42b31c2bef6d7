// Transactions as they end, the newest first; each can be opened. Bounds: MOST_SHOWN rows.

import { Fragment, useState, type JSX } from "react";
import type { TransactionView } from "../../src/api/contract.ts";
import { Empty } from "../frame/parts.tsx";
import { ErrorView, OutputView } from "../values/error-view.tsx";
import { shortened } from "../values/shortened.ts";
import { clockText, durationText } from "../values/times.ts";

const MOST_SHOWN = 100;
const LONGEST_NAME = 80;

export function TransactionTable({
  transactions,
  empty,
  hasOperation = false,
}: {
  readonly transactions: readonly TransactionView[];
  readonly empty: string;
  readonly hasOperation?: boolean;
}): JSX.Element {
  const [open, setOpen] = useState<string>();
  if (transactions.length === 0) return <Empty>{empty}</Empty>;
  const columns = hasOperation ? 6 : 5;
  return (
    <div className="table" role="region" aria-label="Transactions" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {hasOperation && <th scope="col">Operation</th>}
            <th scope="col">Trigger</th>
            <th scope="col">Outcome</th>
            <th scope="col" className="number">
              Duration
            </th>
            <th scope="col">
              <span className="visually-hidden">Details</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {transactions.slice(0, MOST_SHOWN).map((transaction) => {
            const isOpen = transaction.id === open;
            return (
              <Fragment key={transaction.id}>
                <Line
                  transaction={transaction}
                  hasOperation={hasOperation}
                  isOpen={isOpen}
                  onToggle={() => setOpen(isOpen ? undefined : transaction.id)}
                />
                {isOpen && (
                  <tr className="details">
                    <td colSpan={columns}>
                      <Details transaction={transaction} />
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
      {transactions.length > MOST_SHOWN && (
        <p className="hint">
          The newest {MOST_SHOWN} of {transactions.length}.
        </p>
      )}
    </div>
  );
}

function Line({
  transaction,
  hasOperation,
  isOpen,
  onToggle,
}: {
  readonly transaction: TransactionView;
  readonly hasOperation: boolean;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}): JSX.Element {
  const { app, operation, trigger, startedMs, durationMs, outcome, error } = transaction;
  return (
    <tr>
      <td className="time">{clockText(startedMs)}</td>
      {hasOperation && (
        <td>
          <code title={`${app} ${operation}`}>{shortened(operation, LONGEST_NAME)}</code>
        </td>
      )}
      <td>
        <code title={trigger}>{shortened(trigger, LONGEST_NAME)}</code>
      </td>
      <td className="outcome">
        <span className={`badge ${outcome}`}>{outcome === "ok" ? "done" : "failed"}</span>
        {error !== undefined && <code className="code">{shortened(error.code, LONGEST_NAME)}</code>}
      </td>
      <td className="number">{durationText(durationMs)}</td>
      <td className="number">
        <button type="button" className="link" aria-expanded={isOpen} onClick={onToggle}>
          {isOpen ? "Close" : "Open"}
          <span className="visually-hidden"> the transaction of {clockText(startedMs)}</span>
        </button>
      </td>
    </tr>
  );
}

function Details({ transaction }: { readonly transaction: TransactionView }): JSX.Element {
  const { id, app, error, output } = transaction;
  return (
    <>
      <p className="facts">
        <span>{app}</span>
        <code>{id}</code>
      </p>
      {error !== undefined && <ErrorView error={error} />}
      <OutputView output={output} />
      {error === undefined && output === "" && <p className="muted">It printed nothing.</p>}
    </>
  );
}
